"""The client's side of resuming: what it has received, and what it comes back with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sockspec.runtime.backplane.line import Position
from sockspec.runtime.fleet import control
from sockspec.runtime.fleet.control import GroupPosition, Joined, Left, Opened, Place, Recovered, Resume


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of what was sent while a client was not there to receive it."""

    resumed: bool
    """Whether the server knew the client, and has put it into its groups again. Else nobody has."""
    recovered: bool
    """Whether everything that groups were sent meanwhile has been received. Else something was lost."""


class Resumption:
    """Knows up to where each group has been received, and lets each message through once."""

    def __init__(self) -> None:
        self._session = ""
        self._positions: dict[str, Position] = {}
        self._place: Place | None = None
        self._asked = False
        self._is_new = True
        self._has_lost = False
        self._opened: asyncio.Future[None] | None = None
        self._has_told = False
        """Whether a loss was told and nothing was received since: one that concerns several groups is told once."""
        self.resumed: bool = False
        """Whether the present connection goes on with one that the application has prepared."""

    # --- connections ------------------------------------------------------------------------------------------------

    def begin(self) -> str | bytes:
        """A connection was opened; the message to begin with."""
        self._place = None
        self.resumed = self._has_told = False
        self._asked = bool(self._session)
        self._opened = asyncio.get_running_loop().create_future()
        known = list(self._positions.items())[-control.MOST_POSITIONS :]
        places = tuple(GroupPosition(group, position.epoch, position.offset) for group, position in known)
        return control.frame_of(Resume(self._session, places)).payload

    async def opened(self, seconds: float) -> None:
        """Wait for the server's answer. Raises TimeoutError."""
        assert self._opened is not None
        async with asyncio.timeout(seconds):
            await asyncio.shield(self._opened)

    def prepared(self) -> None:
        """The application has prepared the connection: what it joined comes back with the session from now on."""
        self._is_new = False

    def begin_without(self) -> Recovery | None:
        """A connection was opened to a server that does not do this; what is lost by that."""
        had, self._session, self.resumed, self._place = bool(self._session), "", False, None
        self._positions.clear()
        self._has_lost = False
        return Recovery(resumed=False, recovered=False) if had else None

    # --- receiving --------------------------------------------------------------------------------------------------

    def take(self, frame: str | bytes) -> Recovery | None:
        """The server said something; what the application has to know of it."""
        match control.from_server(frame):
            case Opened(session, resumed):
                self._session = session
                if not resumed:
                    self._is_new, self._has_lost = True, self._asked
                    self._positions.clear()
                self.resumed = not self._is_new
                if self._opened is not None and not self._opened.done():
                    self._opened.set_result(None)
            case Joined(group, epoch, offset, lost):
                self._positions[group] = Position(epoch, offset)
                if lost and not self._asked:
                    told, self._has_told = self._has_told, True
                    return None if told else Recovery(resumed=True, recovered=False)
                # Else it is told with all that was missed, be it on a later connection.
                self._has_lost = self._has_lost or lost
            case Left(group):
                self._positions.pop(group, None)
            case Place(group, offset, skip=skip) as place:
                if skip:
                    return self._pass(place)
                self._place = place
            case Recovered(recovered) if self._asked:
                lost, self._asked, self._has_lost = self._has_lost, False, False
                return Recovery(self.resumed, recovered and not lost)
            case _:
                pass
        return None

    def is_new(self) -> bool:
        """A message came: whether it is to be handed on, or has been before."""
        place = self._place
        known = None if place is None else self._positions.get(place.group)
        if place is None or known is None or place.offset > known.offset:
            return True
        self._place = None
        return False

    def handed_on(self) -> Recovery | None:
        """It was; what the application has to know besides."""
        place, self._place, self._has_told = self._place, None, False
        return None if place is None else self._pass(place)

    def _pass(self, place: Place) -> Recovery | None:
        known = self._positions.get(place.group)
        if known is None or place.offset <= known.offset:
            return None
        self._positions[place.group] = Position(known.epoch, place.offset)
        after = place.offset - 1 if place.after < 0 else place.after
        return Recovery(resumed=True, recovered=False) if after > known.offset else None
