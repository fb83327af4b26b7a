"""An entry of a stream on its way to connections: made once, however many they are."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from sockspec.runtime.backplane.line import Entry
from sockspec.runtime.fleet import control
from sockspec.runtime.fleet.publication import Publication, unpack
from sockspec.runtime.transport import Frame

if TYPE_CHECKING:
    from sockspec.runtime.connection import Connection

_log: Final = logging.getLogger("sockspec.server")


class Delivery(Struct, eq=False, gc=False):
    """An entry as connections get it."""

    offset: int
    after: int
    id: str
    publication: Publication
    frame: Frame
    group: str
    is_void: bool = False
    _placed: Frame | None = None
    _skipped: Frame | None = None

    @property
    def placed(self) -> Frame:
        """For connections that are told where each message stands. Encoded once for all of them."""
        if self._placed is None:
            place = control.place(self.group, self.offset, self.after)
            self._placed = Frame(self.frame.data, self.frame.is_text, before=place)
        return self._placed

    @property
    def skipped(self) -> Frame:
        """For those of them that the message is not for."""
        if self._skipped is None:
            self._skipped = control.place(self.group, self.offset, self.after, skip=True)
        return self._skipped

    def post_to(self, connection: Connection[Any, Any]) -> None:
        """Send it to a connection."""
        excluded = self.publication.exclude
        if self.is_void or (excluded and connection.member_id in excluded):
            if connection.is_placed:
                connection.post(self.skipped)
            return
        connection.post(self.placed if connection.is_placed else self.frame, self.publication.key)

    def post_to_all(self, connections: Collection[Connection[Any, Any]], *, again: bool = False) -> None:
        """Send it to connections: as `post_to`, but what is the same for all of them is looked up once.

        What they have had already, they are told the place of.
        """
        is_for_all = not (self.is_void or self.publication.exclude)
        plain, placed, key = self.frame, self._placed, self.publication.key
        for connection in connections:
            try:
                if again:
                    if connection.is_placed:
                        connection.post(self.skipped)
                elif not is_for_all:
                    self.post_to(connection)
                elif connection.is_placed:
                    placed = placed or self.placed
                    connection.post(placed, key)
                else:
                    connection.post(plain, key)
            except Exception:
                _log.exception("a connection could not be sent to", extra={"connection": connection.id})
                connection.abort()


def delivery_of(entry: Entry, group: str) -> Delivery:
    """An entry as connections get it; what is no message of ours is for nobody. `group` is the name that they know."""
    publication = unpack(entry.data)
    if publication is None:
        _log.warning("an entry of a group is no message of ours, and is left out")
        return Delivery(entry.offset, entry.after, entry.id, Publication(b""), Frame(b""), group, is_void=True)
    frame = Frame(publication.data, publication.is_text)
    return Delivery(entry.offset, entry.after, entry.id, publication, frame, group)
