"""Names are any text, and different names are different things."""

from __future__ import annotations

from typing import Final

from sockspec.runtime.backplane.conformance.fleet import LONG, Check, Fleet
from sockspec.runtime.backplane.line import Placed

NAMES: Final = (
    "",
    " ",
    "a",
    "A",
    "a.b",
    "a.",
    ".",
    "*",
    "a.*",
    ">",
    "a.>",
    "?",
    "[ab]",
    "{a}",
    "}",
    "a}b{c",
    "a:b",
    "a/b",
    "a\\b",
    "$JS.API",
    "two words",
    "line\r\nbreak\0tab\t",
    "%2F%",
    "-1",
    "0",
    "=?",
    "é",
    "e\u0301",
    "日本語",
    "😀",
    "\udc80 alone",
    "long " + "x" * 3000,
    "long " + "x" * 3001,
)
"""Texts that mean something to an engine, and such as are nearly alike."""


async def streams_have_any_names(fleet: Fleet) -> None:
    """Each stream receives and keeps what is its own; ids are any text, too."""
    a, b = await fleet.open("a"), await fleet.open("b")
    found = await b.line.subscribe(NAMES)
    assert list(found) == list(NAMES)
    for number, name in enumerate(NAMES):
        await a.publish(name, b"%d" % number, name or "none")
    for number, name in enumerate(NAMES):
        (entry,) = await b.inbox.has(name, 1)
        assert (entry.id, entry.data) == (name or "none", b"%d" % number)
        assert await a.everything(name) == [entry]
    assert len(b.inbox.received) == len(NAMES)


async def records_have_any_names(fleet: Fleet) -> None:
    """Tables, keys and nodes."""
    nodes = [await fleet.open(f"node {name}") for name in NAMES]
    for node in nodes:
        await node.line.renew(LONG)
    assert (await nodes[0].line.renew(LONG)).nodes == {node.node for node in nodes}
    for node, name in zip(nodes, NAMES, strict=True):
        assert await node.line.place(name, "key", name.encode("utf-8", "surrogatepass")) is Placed.NEW
        assert await node.line.place("table", name, b"x", most=len(NAMES)) is Placed.NEW
    for node, name in zip(nodes, NAMES, strict=True):
        ((record),) = await nodes[0].line.records(name)
        assert (record.table, record.key, record.node) == (name, "key", node.node)
        assert record.value == name.encode("utf-8", "surrogatepass")
    assert [record.key for record in await nodes[0].line.records("table")] == sorted(NAMES)
    for node, name in zip(nodes, NAMES, strict=True):
        await node.line.retire()
        taken = await nodes[0].line.reap(node.node, 10)
        assert {(record.table, record.key) for record in taken} == {(name, "key"), ("table", name)}
        assert {record.node for record in taken} == {node.node}
        assert await nodes[0].line.reap(node.node, 10) == ()


async def a_table_and_a_key_are_not_mistaken_for_others(fleet: Fleet) -> None:
    """However they are put together."""
    (a,) = await fleet.alive("a")
    pairs = [("ab", "c"), ("a", "bc"), ("a:", "b"), ("a", ":b"), ("1:a", ""), ("", "1:a"), ("a b", "c"), ("a", "b c")]
    for table, key in pairs:
        assert await a.line.place(table, key, f"{table}|{key}".encode()) is Placed.NEW
    await a.line.retire()
    taken = await a.line.reap("a", 100)
    assert {(record.table, record.key) for record in taken} == set(pairs)
    assert all(record.value == f"{record.table}|{record.key}".encode() for record in taken)


async def kept_values_and_buckets_have_any_names(fleet: Fleet) -> None:
    """And are not mistaken for each other, nor for streams and tables of the same name."""
    (a,) = await fleet.alive("a")
    await a.line.keep({name: b"%d" % number for number, name in enumerate(NAMES)}, LONG)
    for name in NAMES:
        await a.publish(name, b"x")
        await a.line.place(name, name, b"x")
        assert await a.line.take(name, 1, rate=0.001, burst=1) == 0
    assert [await a.line.kept(name) for name in NAMES] == [b"%d" % number for number in range(len(NAMES))]
    for name in NAMES:
        assert await a.line.take(name, 1, rate=0.001, burst=1) > 0
        await a.line.discard(name)
        assert await a.line.kept(name) is None


CHECKS: Final[tuple[Check, ...]] = (
    streams_have_any_names,
    records_have_any_names,
    a_table_and_a_key_are_not_mistaken_for_others,
    kept_values_and_buckets_have_any_names,
)
