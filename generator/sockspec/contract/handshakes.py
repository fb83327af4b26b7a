"""The rules of the handshake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from sockspec import ir
from sockspec.contract.outcome import Outcome, Result
from sockspec.contract.settings import NoConnection, Settings
from sockspec.contract.target import Target, made_up, misfits, needed, takes_token, with_credentials
from sockspec.contract.wire import Journal, Pace, Refusal, Wire, dial

NOWHERE = "sockspec-no-such-path"


@dataclass(frozen=True, slots=True)
class Door:
    """A channel before anybody is in."""

    api: ir.Api
    channel: ir.Channel
    bare: Target
    """The handshake without credentials."""
    target: Target
    """The handshake as it should be."""
    settings: Settings
    pace: Pace
    journal: Journal

    def result(self, rule: str, outcome: Outcome, detail: str = "", subject: str = "") -> Result:
        """A result of this channel."""
        return Result(rule, self.channel.name, subject, outcome, detail)

    async def knock(self, target: Target) -> Wire | Refusal:
        """Try a handshake; where nothing comes of it, that is an answer as well."""
        try:
            return await dial(target, self.journal, self.pace, self.settings.timeout)
        except NoConnection as none:
            return Refusal(0, why=str(none))


async def results(door: Door) -> AsyncIterator[Result]:
    """All rules of the handshake but `connect`."""
    rules = door.settings.rules
    if "subprotocol" in rules:
        yield await _subprotocol(door)
    if "unknown-path" in rules:
        yield await _unknown_path(door)
    if "bad-parameter" in rules:
        async for result in _bad_parameters(door):
            yield result
    schemes = needed(door.api, door.channel)
    for rule in ("no-credentials", "wrong-credentials"):
        if rule in rules and schemes is None:
            yield door.result(rule, Outcome.SKIPPED, "the document asks for no credentials")
        elif rule in rules and schemes is not None:
            yield await _locked(door, rule, schemes)
    if "open-door" in rules:
        yield await open_door(door)


async def connect(door: Door) -> Result:
    """The rule `connect`. NoConnection where nobody is there at all."""
    answer = await dial(door.target, door.journal, door.pace, door.settings.timeout)
    if isinstance(answer, Refusal):
        return door.result("connect", Outcome.FAILED, f"expected 101, {_refused(answer)}")
    await answer.leave()
    return door.result("connect", Outcome.PASSED)


async def _subprotocol(door: Door) -> Result:
    declared = door.channel.subprotocols
    if not declared:
        return door.result("subprotocol", Outcome.SKIPPED, "the document declares none")
    answer = await door.knock(replace(door.target, subprotocols=declared))
    if isinstance(answer, Refusal):
        return door.result("subprotocol", Outcome.FAILED, f"expected one of {list(declared)}, {_refused(answer)}")
    chosen = answer.subprotocol
    await answer.leave()
    if chosen in declared:
        return door.result("subprotocol", Outcome.PASSED, chosen or "")
    return door.result("subprotocol", Outcome.FAILED, f"expected one of {list(declared)}, {chosen!r} was chosen")


async def _unknown_path(door: Door) -> Result:
    if door.channel.address is None:
        return door.result("unknown-path", Outcome.SKIPPED, "the address is known at run time only")
    answer = await door.knock(replace(door.target, path=f"{door.target.path.rstrip('/')}/{NOWHERE}"))
    return await _refusal(door, "unknown-path", answer, (404,))


async def _bad_parameters(door: Door) -> AsyncIterator[Result]:
    found = list(misfits(door.channel, door.target))
    if not found:
        yield door.result("bad-parameter", Outcome.SKIPPED, "no parameter has values that do not fit")
    for misfit in found:
        answer = await door.knock(misfit.target)
        yield await _refusal(door, "bad-parameter", answer, misfit.statuses, misfit.subject)


async def _refusal(
    door: Door, rule: str, answer: Wire | Refusal, statuses: tuple[int, ...], subject: str = ""
) -> Result:
    expected = " or ".join(map(str, statuses))
    if isinstance(answer, Wire):
        await answer.leave()
        return door.result(rule, Outcome.FAILED, f"expected {expected}, the connection was accepted", subject)
    if answer.status in statuses:
        return door.result(rule, Outcome.PASSED, str(answer.status), subject)
    return door.result(rule, Outcome.FAILED, f"expected {expected}, {_refused(answer)}", subject)


async def _locked(door: Door, rule: str, schemes: list[ir.SecurityScheme]) -> Result:
    """Both rules about credentials that are not there, or are not right."""
    missing = rule == "no-credentials"
    if not takes_token(schemes):
        return door.result(rule, Outcome.SKIPPED, "the scheme needs something else than a token")
    bare = replace(door.bare, headers=_anonymous(door.bare, schemes))
    answer = await door.knock(bare if missing else with_credentials(bare, schemes, made_up(schemes)))
    if isinstance(answer, Refusal):
        if answer.status == 403 and not missing:
            return door.result(rule, Outcome.PASSED, "403")
        if answer.status != 401:
            return door.result(rule, Outcome.FAILED, f"expected 401, {_refused(answer)}")
        if not answer.challenge:
            return door.result(rule, Outcome.FAILED, "expected WWW-Authenticate beside 401, there was none")
        return door.result(rule, Outcome.PASSED, "401")
    told, code = await _goodbye(door, answer)
    codes = (3000,) if missing else (3000, 3003)
    if code in codes and told:
        return door.result(rule, Outcome.PASSED, f"closed with {code}")
    if code in codes:
        return door.result(rule, Outcome.FAILED, f"closed with {code}, but no error message before")
    ending = "the connection was accepted" if code is None else f"the connection was closed with {code}"
    return door.result(rule, Outcome.FAILED, f"expected 401, or an error message and {codes[0]}: {ending}")


def _anonymous(target: Target, schemes: list[ir.SecurityScheme]) -> dict[str, str]:
    """The headers without those that carry credentials."""
    secret = {"authorization", "cookie", *(scheme.parameter_name.lower() for scheme in schemes)}
    return {name: value for name, value in target.headers.items() if name.lower() not in secret}


async def _goodbye(door: Door, wire: Wire) -> tuple[bool, int | None]:
    """Whether an error message comes, and the close code; None where the connection is kept open."""
    told = False
    while (received := await wire.next(door.settings.quiet)) is not None:
        told = told or received.problem is not None
    code = wire.closed
    await wire.leave()
    return told, code


async def open_door(door: Door) -> Result:
    """The rule `open-door`."""
    if needed(door.api, door.channel) is not None:
        return door.result("open-door", Outcome.SKIPPED, "the document asks for credentials")
    answer = await door.knock(replace(door.bare, headers=_anonymous(door.bare, [])))
    if isinstance(answer, Refusal):
        if answer.status in (401, 403):
            return door.result("open-door", Outcome.FAILED, f"the document names no security, {_refused(answer)}")
        return door.result("open-door", Outcome.SKIPPED, _refused(answer))
    _, code = await _goodbye(door, answer)
    if code in (3000, 3003):
        return door.result("open-door", Outcome.FAILED, f"the document names no security, closed with {code}")
    return door.result("open-door", Outcome.PASSED)


def _refused(refusal: Refusal) -> str:
    why = f" ({refusal.why})" if refusal.why else ""
    return f"the handshake was refused with {refusal.status}{why}" if refusal.status else f"no handshake: {refusal.why}"
