"""Text of documents becomes text of Python, never code."""

from __future__ import annotations

import ast
import inspect

from hypothesis import given
from hypothesis import strategies as st

from sockspec.python import literals

texts = st.text(st.sampled_from('"\\ab')) | st.text(st.characters(codec="utf-8") | st.sampled_from("\"'\\{}%#\n\t "))


@given(texts)
def test_a_string_literal_is_the_text(text: str) -> None:
    assert ast.literal_eval(literals.string(text)) == text
    assert "\n" not in literals.string(text)


@given(texts, st.sampled_from([0, 4, 8]))
def test_a_docstring_holds_the_words_of_the_text_and_nothing_else(text: str, indent: int) -> None:
    printed = literals.docstring(text, indent)
    module = ast.parse(
        "if True:\n" + " " * indent + "    pass\n" if not indent else f"class C:\n{' ' * indent}{printed}\n"
    )
    if not indent:
        module = ast.parse(printed)
    held = ast.get_docstring(module if not indent else module.body[0], clean=True)  # type: ignore[arg-type]
    expected = "".join(c if c.isprintable() or c.isspace() else " " for c in text).split()
    assert (held or "").split() == [word for word in expected if word]
    assert inspect.cleandoc(held or "") == (held or "")


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts))
def test_a_value_literal_is_the_value(value: object) -> None:
    assert ast.literal_eval(literals.value(value)) == value
