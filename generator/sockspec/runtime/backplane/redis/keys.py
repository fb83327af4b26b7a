"""The keys in the engine, and what is written in them.

Names are any text. What is in braces decides about the slot in a cluster, so no name begins there, and none is there alone.
"""

from __future__ import annotations

from sockspec.runtime.backplane.line import Entry, Record


def raw(text: str) -> bytes:
    """A name as the engine knows it. Halves of surrogate pairs are texts in JSON, too."""
    return text.encode("utf-8", "surrogatepass")


def named(data: bytes) -> str:
    """The name back. Raises UnicodeDecodeError for what none of us wrote."""
    return data.decode("utf-8", "surrogatepass")


class Keys:
    """What keys begin with."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()
        self.nodes = self._prefix + b":{nodes}:leases"
        self.engine = self._prefix + b":{nodes}:engine"
        self.tables = self._prefix + b":{nodes}:table:"
        self.counts = self._prefix + b":{nodes}:counts:"
        self.owned = self._prefix + b":{nodes}:owned:"
        self.channels = self._prefix + b":stream:"
        self._kept = self._prefix + b":kept:"
        self._buckets = self._prefix + b":bucket:"

    def channel(self, stream: str) -> bytes:
        """Where a stream is fanned out."""
        return self.channels + raw(stream)

    def of_channel(self, channel: bytes) -> str:
        """The stream that is fanned out there."""
        return named(channel[len(self.channels) :])

    def stream(self, stream: str) -> tuple[bytes, bytes, bytes, bytes]:
        """What is known of a stream, its entries, the ids of late, and those of the time before."""
        start = self._prefix + b":{s:" + raw(stream) + b"}:"
        return start + b"known", start + b"entries", start + b"ids", start + b"ids-before"

    def kept(self, key: str) -> bytes:
        """A value."""
        return self._kept + raw(key)

    def bucket(self, name: str) -> bytes:
        """A bucket."""
        return self._buckets + raw(name)


def record_name(table: bytes, key: bytes) -> bytes:
    """A table and a key in one."""
    return b"%d:%s%s" % (len(table), table, key)


def record_text(node: bytes, value: bytes) -> bytes:
    """A node and a value in one."""
    return b"%d:%s%s" % (len(node), node, value)


def parted(text: bytes) -> tuple[bytes, bytes]:
    """The two of them back. Raises ValueError for what none of us wrote."""
    length, _, rest = text.partition(b":")
    return rest[: int(length)], rest[int(length) :]


def record(table: str, key: bytes, text: bytes) -> Record:
    """A record. Raises ValueError for what none of us wrote."""
    node, value = parted(text)
    return Record(table, named(key), value, named(node))


def entry(text: bytes) -> tuple[str, Entry]:
    """The epoch of an entry, and the entry. Raises ValueError for what none of us wrote.

    The offsets of a stream have no gaps, so each tells the one before it.
    """
    epoch, at, length, rest = text.split(b" ", 3)
    offset, size = int(at), int(length)
    return epoch.decode(), Entry(offset, offset - 1, named(rest[:size]), rest[size:])
