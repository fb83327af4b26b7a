"""The backplane over NATS: streams as subjects of one JetStream stream."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar
from urllib.parse import quote

import msgspec

from sockspec.runtime import checks
from sockspec.runtime.backplane.line import (
    Backplane,
    BackplaneError,
    Entry,
    History,
    Line,
    Placed,
    Position,
    Receiver,
    Record,
    Registration,
    Slice,
)
from sockspec.runtime.backplane.nats.generation import epoch_of
from sockspec.runtime.backplane.nats.link import Link, Sink
from sockspec.runtime.backplane.nats.messages import (
    KEEP,
    Condition,
    Refused,
    entries_of,
    headers_of,
    id_of,
    seconds_of,
    sequence_of,
    token_of,
)
from sockspec.runtime.backplane.nats.state import State
from sockspec.runtime.backplane.nats.store import KNOWN_FOR, Store, least_of

if TYPE_CHECKING:
    from nats.aio.msg import Msg

T = TypeVar("T")

_IN_PROCESS: Final = 10158
_PAUSE: Final = 0.01
_MOST_FILTERS: Final = 500
"""So many streams are asked about at once. The answers come with the last entry of each."""


_SCHEMES: Final = ("nats", "tls", "ws", "wss")


class NatsBackplane(Backplane):
    """An engine that many processes reach: a NATS server, or a cluster, with JetStream enabled."""

    name: ClassVar = "nats"
    is_shared: ClassVar = True

    def __init__(
        self,
        servers: str | Collection[str] = "nats://localhost:4222",
        *,
        prefix: str = "sockspec",
        timeout: float = 2.0,
        replicas: int = 1,
        storage: str = "file",
        remember: float = 6 * 3600.0,
        max_bytes: int | None = None,
        **connection: Any,
    ) -> None:
        """`prefix` begins the names of everything that is made there; `timeout` is in seconds.

        `replicas`, `storage` ("file" or "memory") and `max_bytes` (of the history of all streams together; the oldest goes
        first) are of the JetStream streams, and count for whoever makes them. `remember` is for how many seconds positions
        stay good in a stream that nobody publishes to. What else is given goes to nats-py as it connects: `user_credentials=`,
        `tls=`, `token=` and the like. Name all servers of a cluster: those that they tell of are not gone to.
        Raises ValueError for what cannot be.
        """
        self.servers: Final = (servers,) if isinstance(servers, str) else tuple(servers)
        for server in self.servers:
            scheme, separator, _ = server.partition("://")
            if separator and scheme not in _SCHEMES:
                raise ValueError(f"{scheme}:// is no scheme of NATS: those are {', '.join(_SCHEMES)}")
        self.prefix: Final = prefix
        self.timeout: Final = timeout
        self.replicas: Final = replicas
        self.storage: Final = storage
        self.remember: Final = remember
        self.max_bytes: Final = max_bytes
        self.connection: Final = connection
        checks.above_zero(self, "timeout")
        checks.whole(self, "replicas")
        if storage not in ("file", "memory"):
            raise ValueError(f'storage={storage!r} is neither "file" nor "memory"')
        if not remember >= KNOWN_FOR:
            raise ValueError(f"remember={remember!r} has to be {KNOWN_FOR:g} seconds at least")
        if not self.servers:
            raise ValueError("servers= has to name one at least")
        if not prefix or quote(prefix, safe="") != prefix or "." in prefix:
            raise ValueError(f"prefix={prefix!r} has to be of letters, digits, hyphens and underscores")

    async def open(self, node: str, receiver: Receiver) -> Line:
        """Connect a node. Raises BackplaneError when no server can be reached, or it is older than 2.11."""
        line = _NatsLine(self, node, receiver)
        await line.open()
        return line


class _NatsLine(Line):
    def __init__(self, backplane: NatsBackplane, node: str, receiver: Receiver) -> None:
        self._backplane = backplane
        self._receiver = receiver
        self._link = Link(
            backplane.servers,
            {"name": f"{backplane.prefix} {token_of(node)}", **backplane.connection},
            backplane.timeout,
            prepare=self._prepare,
            interrupted=receiver.interrupted,
            restored=receiver.restored,
        )
        self._state = State(self._link, backplane.prefix, node)
        self._store = Store(self._link, backplane, receiver.restored)
        self._subscribing = Counter[str]()
        """By how many callers each stream is being subscribed to."""
        self._tokens: dict[str, str] = {}
        """The names of streams that are subscribed to, as subjects."""

    async def open(self) -> None:
        """Connect. Raises BackplaneError."""
        await self._link.open()

    async def close(self) -> None:
        await self._link.close()

    async def _in_time(self, work: Awaitable[T]) -> T:
        """What takes several requests takes no longer than one."""
        try:
            async with asyncio.timeout(self._backplane.timeout):
                return await work
        except TimeoutError as error:
            raise BackplaneError("NATS did not answer in time", doubtful=True) from error

    # --- the JetStream streams --------------------------------------------------------------------------------------

    async def _prepare(self) -> bool:
        """Find or make what there has to be; whether it is another than before."""
        before = (self._store.life, self._state.engine)
        await self._store.prepare()
        self._state.found(await self._store.find(self._state.stream, self._state.config()))
        return before != (self._store.life, self._state.engine)

    # --- streams ----------------------------------------------------------------------------------------------------

    async def publish(self, stream: str, data: bytes, *, id: str, history: History) -> Position:
        if not self._store.keeps(history):
            try:
                await self._in_time(self._store.grow(history))
            except BackplaneError as error:
                raise BackplaneError(str(error)) from error  # the entry was not even sent
        token = self._tokens.get(stream) or token_of(stream)
        name = id if id.isascii() and id.isalnum() else quote(id, errors="surrogatepass")
        headers = {"Nats-Msg-Id": f"{token}:{name}", KEEP: f"{history.size} {history.seconds}"}
        store, subject = self._store, self._store.subjects_in + token
        offset = await self._append(subject, data, headers)
        if offset <= store.generation.begin:  # it was published before, and removed with all the rest
            headers["Nats-Msg-Id"] = f"{token}.{store.generation.number}:{name}"
            offset = await self._append(subject, data, headers)
        return Position(store.epoch, offset)

    async def _append(self, subject: str, data: bytes, headers: dict[str, str]) -> int:
        try:
            return await self._link.append(subject, data, headers)
        except Refused as refused:
            if refused.err_code != _IN_PROCESS:
                raise
            return await self._in_time(self._append_again(subject, data, headers))

    async def _append_again(self, subject: str, data: bytes, headers: dict[str, str]) -> int:
        """Publish what is on its way to the replicas by the same id already, until it is said where it stands."""
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                return await self._link.append(subject, data, headers)
            except Refused as refused:
                if refused.err_code != _IN_PROCESS:
                    raise

    async def subscribe(self, streams: Collection[str]) -> Mapping[str, Position]:
        tokens = {name: token_of(name) for name in streams}
        self._subscribing.update(tokens.keys())
        try:
            await self._link.watch(
                {self._store.subjects_out + token: Sink(partial(self._receive, name)) for name, token in tokens.items()}
            )
            found = await self.positions(streams)
            self._tokens.update(tokens)
        except BaseException:
            # Another caller may be about to subscribe to some of these, too.
            failed = [name for name in tokens if name not in self._tokens and self._subscribing[name] == 1]
            await self._link.unwatch([self._store.subjects_out + tokens[name] for name in failed])
            raise
        finally:
            self._subscribing -= Counter(tokens.keys())
        return found

    async def unsubscribe(self, streams: Collection[str]) -> None:
        tokens = [token for name in streams if (token := self._tokens.pop(name, None)) is not None]
        await self._link.unwatch([self._store.subjects_out + token for token in tokens])

    def _receive(self, stream: str, message: Msg) -> None:
        """An entry was published."""
        headers = headers_of(message)
        entry = Entry(sequence_of(message), int(headers["Nats-Last-Sequence"]), id_of(headers), message.data)
        self._receiver.receive(stream, self._store.epoch, entry)

    async def positions(self, streams: Collection[str]) -> Mapping[str, Position]:
        return await self._in_time(self._positions(streams))

    async def _positions(self, streams: Collection[str]) -> Mapping[str, Position]:
        condition = (
            await self._store.look()
        )  # answered after all that was sent before it: subscriptions are there by now
        epoch, empty = epoch_of(condition), self._empty(condition)
        subjects = {name: self._store.subjects_in + token_of(name) for name in streams}
        wanted = list(subjects.values())
        tops = dict[str, int]()
        for start in range(0, len(wanted), _MOST_FILTERS):
            tops |= await self._tops(wanted[start : start + _MOST_FILTERS])
        return {name: Position(epoch, tops.get(subject, empty)) for name, subject in subjects.items()}

    async def _tops(self, subjects: Collection[str]) -> dict[str, int]:
        """Where the last entries are that are stored by these subjects."""
        tops = dict[str, int]()
        while missing := [subject for subject in subjects if subject not in tops]:
            messages, end = await self._get({"multi_last": missing})
            tops |= {headers_of(message)["Nats-Subject"]: sequence_of(message) for message in messages}
            if not messages or end.get("Nats-Num-Pending", "0") == "0":
                break
        return tops

    async def _get(self, body: Mapping[str, Any]) -> tuple[list[Msg], dict[str, str]]:
        """What is stored, right from the store."""
        return await self._link.gather(f"$JS.API.DIRECT.GET.{self._store.stream}", msgspec.json.encode(body))

    async def read(self, stream: str, since: Position, limit: int) -> Slice:
        return await self._in_time(self._read(self._store.subjects_in + token_of(stream), since, limit))

    async def _read(self, subject: str, since: Position, limit: int) -> Slice:
        while True:
            messages, end = await self._get({"seq": max(1, since.offset), "next_by_subj": subject, "batch": limit + 1})
            found = [(sequence_of(message), message) for message in messages]
            if end.get("Nats-Num-Pending", "0") != "0" or not await self._is_behind(
                subject, found[-1][0] if found else since.offset - 1
            ):
                break
            await asyncio.sleep(_PAUSE)
        known = found.pop(0) if found and found[0][0] == since.offset else None
        rest = int(end.get("Nats-Num-Pending", 0)) + len(found[limit:])
        condition = await self._store.look()  # after the entries were read: what is there now was there then
        epoch, extent = epoch_of(condition), condition.state
        last = found[-1] if found else known
        if rest or last is None:
            last = await self._last(subject)
        top = last[0] if last is not None else self._empty(condition)
        if since.epoch != epoch or since.offset > top:
            return Slice(Position(epoch, top), (), complete=False)
        # An entry that is there still was trimmed by nobody, and so was nothing after it. Else it is complete if nothing since
        # was too old, and there is room for more of this subject.
        complete = known is not None or (
            extent.first_seq <= since.offset + 1
            and len(found) + rest < least_of(condition)
            and (since.offset == 0 or await self._last(subject, since.offset) is None)
        )
        if complete and not found and last is not None:
            top = since.offset  # what came between is for the next time
        before = known[0] if known is not None else 0
        entries = entries_of(found[:limit], before, rest, last and last[1], self._link.clock())
        return Slice(Position(epoch, top), entries, complete=complete and len(entries) == len(found[:limit]))

    async def renounce(self, stream: str, position: Position) -> None:
        await self._in_time(self._store.renounce(position))

    async def _is_behind(self, subject: str, offset: int) -> bool:
        """Whether a replica answered that does not have all yet. Where there is but one, it has."""
        if self._backplane.replicas == 1:
            return False
        last = await self._link.last(self._store.stream, subject)
        return last is not None and last.seq > offset

    def _empty(self, condition: Condition) -> int:
        """Where a stream stands by which nothing is stored: at the end of the JetStream stream.

        Or at 0 while nothing was ever forgotten. That ends well before 0 is too long ago to be told from what was.
        """
        age = seconds_of(condition.ts) - seconds_of(condition.created)
        if condition.state.first_seq <= 1 and age < self._backplane.remember / 2:
            return 0
        return condition.state.last_seq

    async def _last(self, subject: str, until: int | None = None) -> tuple[int, Msg] | None:
        """The last entry, up to an offset, and where it stands; None where nothing is stored."""
        messages, _ = await self._get({"multi_last": [subject], **({} if until is None else {"up_to_seq": until})})
        return (sequence_of(messages[0]), messages[0]) if messages else None

    # --- records ----------------------------------------------------------------------------------------------------

    async def renew(self, lease: float) -> Registration:
        return await self._in_time(self._state.renew(lease))

    async def retire(self) -> None:
        await self._in_time(self._state.retire())

    async def place(self, table: str, key: str, value: bytes, *, most: int | None = None) -> Placed:
        return await self._in_time(self._state.place(table, key, value, most))

    async def drop(self, table: str, key: str) -> bool:
        return await self._in_time(self._state.drop(table, key))

    async def records(self, table: str) -> tuple[Record, ...]:
        return await self._in_time(self._state.records(table))

    async def reap(self, node: str, limit: int) -> tuple[Record, ...]:
        return await self._in_time(self._state.reap(node, limit))

    # --- what is kept, and rates ------------------------------------------------------------------------------------

    async def keep(self, values: Mapping[str, bytes], seconds: float) -> None:
        await self._in_time(self._state.keep(values, seconds))

    async def kept(self, key: str) -> bytes | None:
        return await self._in_time(self._state.kept(key))

    async def discard(self, key: str) -> None:
        await self._in_time(self._state.discard(key))

    async def take(self, bucket: str, amount: int, *, rate: float, burst: int) -> float:
        return await self._in_time(self._state.take(bucket, amount, rate, burst))
