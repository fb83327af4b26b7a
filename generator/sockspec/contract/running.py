"""A run: every channel, every rule, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import ModuleType

from sockspec import ir
from sockspec.contract import conversations, handshakes
from sockspec.contract.outcome import Outcome, Result
from sockspec.contract.plan import Plan, plans
from sockspec.contract.rules import RULES
from sockspec.contract.settings import NoConnection, Settings
from sockspec.contract.talk import Lost, Talk
from sockspec.contract.target import needed, takes_token, target_of, with_credentials
from sockspec.contract.wire import Journal, Pace, Received
from sockspec.runtime import PayloadError
from sockspec.runtime.address import refuse_clear_text

_MOST_UNFIT = 50
_HANDSHAKE = frozenset(
    "connect subprotocol unknown-path bad-parameter no-credentials wrong-credentials open-door".split()
)


def prepare(api: ir.Api, package: ModuleType, settings: Settings) -> list[Plan]:
    """What will be tried; `package` is the imported package of the API. NoConnection for what cannot be meant."""
    return plans(api, package, settings)


async def check(api: ir.Api, planned: list[Plan], settings: Settings) -> AsyncIterator[Result]:
    """Try all rules, and give the result of each as it comes.

    NoConnection where nobody answers at the URL, or the document asks for credentials that were not given.
    """
    pace = Pace(settings.rate)
    for plan in planned:
        async for result in _channel(api, plan, settings, pace):
            # Without a connection nothing was tried, which must not look as if all were well.
            if result.rule in settings.rules or (result.rule, result.outcome) == ("connect", Outcome.FAILED):
                yield _discreet(result, settings)


async def _channel(api: ir.Api, plan: Plan, settings: Settings, pace: Pace) -> AsyncIterator[Result]:
    journal = Journal(plan.judge)
    journal.judge = _judging(plan, journal)
    bare = target_of(plan.channel, settings)
    schemes = needed(api, plan.channel)
    target = bare if schemes is None else with_credentials(bare, schemes, settings.token) if settings.token else bare
    if settings.token or settings.headers:
        try:
            refuse_clear_text(target.url)
        except ValueError as error:
            raise NoConnection(str(error)) from None
    if schemes is not None and takes_token(schemes) and not settings.token and not settings.headers:
        raise NoConnection(f"{plan.channel.name!r} asks for credentials: give them by --token or --header")
    door = handshakes.Door(api, plan.channel, bare, target, settings, pace, journal)
    connected = await handshakes.connect(door)
    yield connected
    if connected.outcome is not Outcome.PASSED:
        yield await handshakes.open_door(door)
        for rule in [rule for rule in RULES if rule in settings.rules - {"connect", "open-door"}]:
            yield Result(rule, plan.channel.name, "", Outcome.SKIPPED, "there is no connection")
        return
    async for result in handshakes.results(door):
        yield result
    if not settings.rules - _HANDSHAKE:
        return
    talk = Talk(plan, target, settings, pace, journal)
    try:
        async for result in conversations.results(talk):
            yield result
    except Lost as lost:
        yield Result("connect", plan.channel.name, "again", Outcome.FAILED, str(lost))
    finally:
        await talk.leave()
    for result in conversations.of_journal(talk):
        yield result


def _judging(plan: Plan, journal: Journal) -> Callable[[str | bytes], Received]:
    """The plan's judge, which also writes down what the document does not allow."""

    def judge(frame: str | bytes) -> Received:
        received = plan.judge(frame)
        if received.message is None and not _is_guides_error(received) and len(journal.unfit) < _MOST_UNFIT:
            journal.unfit.append((frame if isinstance(frame, str) else frame[:100].hex(" "), _why(plan, frame)))
        return received

    return judge


def _is_guides_error(received: Received) -> bool:
    return received.problem is not None and bool(received.problem.message)


def _why(plan: Plan, frame: str | bytes) -> str:
    try:
        plan.outgoing.decode(frame)
    except PayloadError as error:
        faults = "; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in error.problem.errors[:3])
        return f"{error.problem.message}{f' ({faults})' if faults else ''}"
    return ""


def _discreet(result: Result, settings: Settings) -> Result:
    """The result without the credentials, which servers may repeat."""
    secrets = [secret for secret in (settings.token, *settings.headers.values()) if len(secret) > 3]
    for secret in secrets:
        result = replace(
            result,
            detail=result.detail.replace(secret, "***"),
            payload=result.payload.replace(secret, "***"),
        )
    return result
