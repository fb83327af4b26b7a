"""The parts of a comparison: versions, pairs, and types of parameters as sets of texts."""

from __future__ import annotations

import pytest

from sockspec import ir
from sockspec.diagnostics import Location, Severity
from sockspec.diff import texts
from sockspec.diff.matching import Matched, match
from sockspec.diff.rule import Category, Change, Changes
from sockspec.diff.rules import RULES
from sockspec.diff.schemas import Effect
from sockspec.diff.versions import Step, advise, raised, semantic

BREAK, NEW, TEXT = "client-message-removed", "client-message-added", "text-changed"


def changes(*rules: str) -> tuple[Change, ...]:
    """A change under each rule."""
    found = Changes(RULES)
    for rule in rules:
        found.add(rule, ("api",), Location("new.yaml"), "something changed")
    return found.sorted()


@pytest.mark.parametrize(
    ("old", "by", "next_one"),
    [
        ("1.4.2", Step.MAJOR, "2.0.0"),
        ("1.4.2", Step.MINOR, "1.5.0"),
        ("1.4.2", Step.PATCH, "1.4.3"),
        ("1.4.2", Step.NONE, "1.4.2"),
        ("v1.4.2", Step.MAJOR, "v2.0.0"),
        ("0.4.2", Step.MAJOR, "0.5.0"),
        ("0.4.2", Step.MINOR, "0.4.3"),
        ("1.4.2+build.7", Step.PATCH, "1.4.3"),
        ("2.0.0-rc.1", Step.MAJOR, "2.0.0"),
        ("2.0.0-rc.1", Step.MINOR, "2.0.0"),
        ("1.5.0-rc.1", Step.MINOR, "1.5.0"),
        ("1.5.0-rc.1", Step.MAJOR, "2.0.0"),
        ("1.5.3-rc.1", Step.PATCH, "1.5.3"),
        ("1.5.3-rc.1", Step.MINOR, "1.6.0"),
        ("0.5.0-rc.1", Step.MAJOR, "0.5.0"),
        ("0.5.1-rc.1", Step.MAJOR, "0.6.0"),
        ("0.5.1-rc.1", Step.PATCH, "0.5.1"),
    ],
)
def test_the_next_version_follows_from_the_worst_change(old: str, by: Step, next_one: str) -> None:
    version = semantic(old)
    assert version is not None
    assert str(raised(version, by)) == next_one


@pytest.mark.parametrize(
    ("old", "new", "rules", "satisfied"),
    [
        ("1.4.2", "2.0.0", (BREAK, NEW), True),
        ("1.4.2", "2.0.0-rc.1", (BREAK,), True),
        ("1.4.2", "3.1.0", (BREAK,), True),
        ("1.4.2", "1.5.0", (BREAK,), False),
        ("1.4.2", "1.4.2", (NEW,), False),
        ("1.4.2", "1.4.2", (TEXT,), False),
        ("1.4.2", "1.3.0", (NEW,), False),
        ("1.4.2", "1.4.2", (), True),
        ("v1", "v2", (BREAK,), True),
        ("v1", "v1", (BREAK,), False),
        ("2024-05-01", "2024-06-01", (BREAK,), True),
        ("2024-05-01", "2024-04-01", (BREAK,), False),
        ("1.4.2", "next", (BREAK,), True),
        ("01.4.2", "01.4.3", (BREAK,), True),
    ],
)
def test_a_version_tells_of_the_changes_or_does_not(
    old: str, new: str, rules: tuple[str, ...], satisfied: bool
) -> None:
    assert advise(old, new, changes(*rules)).satisfied is satisfied


def test_what_is_no_semantic_version_is_said_to_be_none() -> None:
    advice = advise("v1", "v1", changes(BREAK))
    assert advice.suggested == ""
    assert advice.note == (
        "clients break: 'v1' is no semantic version, so none can be suggested; the new document has the same one"
    )


def test_things_are_paired_by_the_first_key_that_they_share() -> None:
    old, new = ["a1", "b2", "c3", "d4"], ["x1", "b9", "c4", "y7"]
    assert match(old, new, lambda one: one, lambda one: one[1], lambda one: one[0]) == Matched(
        (("a1", "x1"), ("b2", "b9"), ("d4", "c4")), ("c3",), ("y7",)
    )


def test_things_of_one_key_are_paired_in_order_if_there_are_as_many() -> None:
    assert match(["a1", "a2"], ["a3", "a4"], lambda one: one[0]).pairs == (("a1", "a3"), ("a2", "a4"))
    assert match(["a1"], ["a3", "a4"], lambda one: one[0]) == Matched((), ("a1",), ("a3", "a4"))


STRING, INTEGER, NUMBER, BOOLEAN = map(ir.Scalar, (ir.Kind.STRING, ir.Kind.INTEGER, ir.Kind.NUMBER, ir.Kind.BOOLEAN))
UUID = ir.Scalar(ir.Kind.UUID)


def limited(kind: ir.Kind, **limits: int | str) -> ir.Scalar:
    """A scalar within limits."""
    return ir.Scalar(kind, ir.Limits(**limits))  # type: ignore[arg-type]  # names of limits are what tests are about


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        (STRING, STRING, Effect.NONE),
        (INTEGER, STRING, Effect.WIDENED),
        (INTEGER, NUMBER, Effect.WIDENED),
        (STRING, UUID, Effect.NARROWED),
        (BOOLEAN, ir.Constant((True, False)), Effect.NONE),
        (BOOLEAN, ir.Constant(("true", "false", "auto")), Effect.WIDENED),
        (BOOLEAN, INTEGER, Effect.BOTH),
        (ir.Constant(("a", "b")), ir.Constant(("b", "c")), Effect.BOTH),
        (ir.Constant((1, 2)), INTEGER, Effect.WIDENED),
        (ir.Constant((1, 2)), limited(ir.Kind.INTEGER, minimum=2), Effect.NARROWED),
        (limited(ir.Kind.INTEGER, minimum=5), limited(ir.Kind.INTEGER, exclusive_minimum=4), Effect.NONE),
        (limited(ir.Kind.NUMBER, minimum=5), limited(ir.Kind.NUMBER, exclusive_minimum=5), Effect.NARROWED),
        (limited(ir.Kind.NUMBER, exclusive_maximum=5), limited(ir.Kind.NUMBER, maximum=5), Effect.WIDENED),
        (ir.Constant(("a",)), STRING, Effect.WIDENED),
        (limited(ir.Kind.INTEGER, maximum=10), limited(ir.Kind.INTEGER, maximum=20), Effect.WIDENED),
        (limited(ir.Kind.INTEGER, maximum=10), limited(ir.Kind.INTEGER, minimum=1), Effect.BOTH),
        (limited(ir.Kind.STRING, pattern="^a"), limited(ir.Kind.STRING, pattern="^b"), Effect.UNPROVEN),
        (limited(ir.Kind.STRING, pattern="^a"), STRING, Effect.WIDENED),
        (limited(ir.Kind.STRING, max_length=5), limited(ir.Kind.STRING, max_length=3), Effect.NARROWED),
        (STRING, ir.Array(STRING), Effect.WIDENED),
        (ir.Array(STRING), STRING, Effect.NARROWED),
        (ir.Array(STRING), ir.Array(INTEGER), Effect.NARROWED),
        (ir.Array(STRING), ir.Array(STRING, max_items=3), Effect.NARROWED),
        (ir.Nullable(INTEGER), INTEGER, Effect.NONE),
        (UUID, ir.Anything(), Effect.WIDENED),
        (UUID, ir.Scalar(ir.Kind.DATE), Effect.BOTH),
    ],
)
def test_types_of_parameters_are_compared_as_sets_of_texts(old: ir.Type, new: ir.Type, effect: Effect) -> None:
    assert texts.compare(old, {}, new, {}) is effect


def test_rules_of_a_category_stand_in_one_table() -> None:
    assert {rule.category for rule in RULES.values()} == set(Category)
    assert all(rule.id == id for id, rule in RULES.items())
    assert [rule.id for rule in RULES.values() if rule.severity is not Severity.INFO and not rule.instead] == []
