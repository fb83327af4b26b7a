"""The rules of messages, on open connections."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from sockspec.contract.outcome import Outcome, Result
from sockspec.contract.plan import BINARY, MALFORMED, UNKNOWN, Case, Plan
from sockspec.contract.talk import Exchange, Lost, Talk
from sockspec.contract.wire import Received
from sockspec.runtime.jsontext import plain
from sockspec.runtime.problems import (
    BINARY_NOT_SUPPORTED,
    INTERNAL_SERVER_ERROR,
    MALFORMED_MESSAGE,
    UNKNOWN_TYPE,
    VALIDATION_ERROR,
)

_LONGEST_SHOWN: Final = 400
_CALLED_WRONG: Final = (
    VALIDATION_ERROR,
    UNKNOWN_TYPE,
    MALFORMED_MESSAGE,
    BINARY_NOT_SUPPORTED,
    INTERNAL_SERVER_ERROR,
)
_REGISTERED: Final = frozenset({1000, 1001, 1002, 1003, 1005, *range(1007, 1015), 3000, 3003, 3008})
"""Close codes of RFC 6455 and the IANA registry that an endpoint may end a connection with; 1005 is none at all."""

Make = Callable[..., Result]


async def results(talk: Talk) -> AsyncIterator[Result]:
    """All rules of messages on one channel. Raises Lost where no connection can be had any more."""
    rules = talk.settings.rules

    def make(rule: str, outcome: Outcome, detail: str = "", subject: str = "", payload: str | bytes = "") -> Result:
        shown = payload if isinstance(payload, str) else payload.hex(" ")
        cut = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
        return Result(rule, talk.plan.channel.name, subject, outcome, detail, cut)

    if "ping" in rules:
        answered = await (await talk.connected()).pong()
        yield make("ping", *_verdict(answered, f"expected a pong within {talk.settings.timeout:g} s, none came"))
    malformed, unknown = await talk.learn()
    yield _told(make, "malformed-json", malformed, MALFORMED)
    yield _told(make, "unknown-type", unknown, UNKNOWN)
    if "binary" in rules:
        yield await _binary(talk, make)
    for case in talk.plan.cases:
        async for result in _case(talk, case, make):
            yield result
    if "oversize" in rules:
        yield await _oversize(talk, make)


def _verdict(passed: bool, detail: str) -> tuple[Outcome, str]:
    return (Outcome.PASSED, "") if passed else (Outcome.FAILED, detail)


def _told(make: Make, rule: str, exchange: Exchange | None, frame: str) -> Result:
    if exchange is None:
        return make(rule, Outcome.SKIPPED, "the document allows any text, or any type")
    if _is_answered(exchange):
        return make(rule, Outcome.PASSED)
    return make(rule, Outcome.FAILED, f"expected an error message: {exchange.told()}", payload=frame)


def _is_answered(exchange: Exchange) -> bool:
    """Whether an error message came that blames the client."""
    return any(e.problem is not None and e.problem.type != INTERNAL_SERVER_ERROR for e in exchange.errors)


async def _binary(talk: Talk, make: Make) -> Result:
    if talk.plan.incoming.accepts_binary:
        return make("binary", Outcome.SKIPPED, "the document has binary messages")
    found = await talk.exchange(BINARY, wants_error=True)
    if _is_answered(found) or found.closed == 1003:
        return make("binary", Outcome.PASSED)
    return make("binary", Outcome.FAILED, f"expected an error message or 1003: {found.told()}", payload=BINARY)


async def _oversize(talk: Talk, make: Make) -> Result:
    limit = talk.plan.limits.get("maxMessage")
    if limit is None:
        return make("oversize", Outcome.SKIPPED, "the document declares no limit")
    texts = (frame for case in talk.plan.cases for frame in case.frames if isinstance(frame, str) and case.payloads)
    # Blanks after a JSON text change nothing, so that nothing but its length is wrong with it.
    found = await talk.exchange(next(texts, UNKNOWN).ljust(int(limit) + 1), wants_error=True)
    told = [e.problem.type for e in found.errors if e.problem is not None]
    if found.closed == 1009 or any(kind not in _CALLED_WRONG for kind in told):
        return make("oversize", Outcome.PASSED)
    return make("oversize", Outcome.FAILED, f"expected an error message or 1009: {found.told()}")


async def _case(talk: Talk, case: Case, make: Make) -> AsyncIterator[Result]:
    rules, name = talk.settings.rules, case.message.name
    if not case.frames:
        for rule in [rule for rule in ("valid-message", "broken-message") if rule in rules]:
            yield make(rule, Outcome.SKIPPED, f"no valid payload: {case.why_none}", name)
        return
    for number, frame in enumerate(case.frames, 1):
        subject = name if number == 1 else f"{name} {number}"
        if case.replies and "reply" in rules:
            yield await _reply(talk, case, frame, subject, make)
        if "valid-message" in rules:
            yield await _valid(talk, frame, subject, make)
    if not rules & {"broken-message", "survives"}:
        return
    for wrong in case.broken:
        frame = json.dumps(wrong.payload, ensure_ascii=False)
        subject = f"{name} {wrong.pointer or '/'} {wrong.keyword}"
        async for result in _broken(talk, frame, subject, make):
            yield result


async def _valid(talk: Talk, frame: str | bytes, subject: str, make: Make) -> Result:
    found = await talk.exchange(frame, wants_error=False)
    wrong = [e for e in found.errors if e.problem is not None and e.problem.type in _CALLED_WRONG]
    declared = {close.code for close in talk.plan.channel.close_codes}
    if wrong or (found.closed is not None and found.closed not in {1000, *declared}):
        return make("valid-message", Outcome.FAILED, f"expected no error: {found.told()}", subject, frame)
    return make("valid-message", Outcome.PASSED, found.told() if found.errors else "", subject)


async def _reply(talk: Talk, case: Case, frame: str | bytes, subject: str, make: Make) -> Result:
    found, errors = await talk.reply(frame, case.replies)
    expected = " or ".join(reply.__name__ for reply in case.replies)
    if not found:
        told = next((e.problem for e in errors if e.problem is not None), None)
        if told is not None and told.type not in _CALLED_WRONG:
            return make("reply", Outcome.SKIPPED, f"the server refused it: {told.type}: {told.message}", subject)
        came = f"{told.type}: {told.message}" if told is not None else f"none came within {talk.settings.timeout:g} s"
        return make("reply", Outcome.FAILED, f"expected {expected}: {came}", subject, frame)
    sent = _at(json.loads(frame), case.message.correlation) if isinstance(frame, str) else None
    got = _correlation(found[0], talk.plan, case.replies)
    if sent is not None and got != sent:
        return make("reply", Outcome.FAILED, f"expected the correlation id {sent!r}, got {got!r}", subject, frame)
    return make("reply", Outcome.PASSED, "", subject)


def _correlation(received: Received, plan: Plan, replies: tuple[type, ...]) -> Any:
    """The correlation id of a reply, wherever one of the replies has it; None where there is none."""
    if not isinstance(received.frame, str):
        return None
    value = plain(received.frame)
    ids = (_at(value, plan.correlations.get(kind, ())) for kind in (type(received.message), *replies))
    return next((found for found in ids if found is not None), None)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """The value at some wire names; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if path else None


async def _broken(talk: Talk, frame: str, subject: str, make: Make) -> AsyncIterator[Result]:
    rules = talk.settings.rules
    found = await talk.exchange(frame, wants_error=True)
    if "broken-message" in rules:
        if _is_answered(found):
            yield make("broken-message", Outcome.PASSED, "", subject)
        else:
            detail = f"expected an error message: {found.told()}"
            yield make("broken-message", Outcome.FAILED, detail, subject, frame)
    if "survives" in rules:
        if found.closed is not None:
            yield make("survives", Outcome.FAILED, f"the connection was closed with {found.closed}", subject, frame)
        elif not await (await talk.connected()).pong():
            yield make("survives", Outcome.FAILED, "expected a pong, none came", subject, frame)
        else:
            yield make("survives", Outcome.PASSED, "", subject)


def of_journal(talk: Talk) -> list[Result]:
    """What the server did on all connections of a channel together."""
    journal, name = talk.journal, talk.plan.channel.name
    declared = {close.code for close in talk.plan.channel.close_codes}
    wrong = sorted({(code, reason) for code, reason in journal.closings if code not in _REGISTERED | declared})
    found = [
        Result("close-code", name, str(code), Outcome.FAILED, f"not registered, and not declared: {code} {reason!r}")
        for code, reason in wrong
    ] or [Result("close-code", name, "", Outcome.PASSED, f"{len(journal.closings)} connections ended by the server")]
    unfit = [
        Result("received", name, "", Outcome.FAILED, why, frame[:_LONGEST_SHOWN])
        for frame, why in dict.fromkeys(journal.unfit)
    ] or [Result("received", name, "", Outcome.PASSED, f"{journal.received} messages")]
    return [*unfit, *found]


__all__ = ["Lost", "of_journal", "results"]
