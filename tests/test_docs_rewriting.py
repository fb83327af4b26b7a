"""Descriptions of documents in Markdown that all readers take alike."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sockspec.docs.llms import WORDS
from sockspec.docs.markdown import parser
from sockspec.docs.rewriting import MARKDOWN
from sockspec.docs.writing import Lines, without_unseen
from tests.test_docs_sites import rendered_by_mkdocs, rendered_by_sphinx


def lines(text: str) -> Lines:
    return MARKDOWN.described(text).blocks


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Plain {words}.", ["Plain &#123;words&#125;."]),
        ("Use `a|b` *now*, **soon**.", ["Use <code>a&#124;b</code> now, soon."]),
        ("two\nlines, one paragraph\n\nanother", ["two lines, one paragraph", "", "another"]),
        ("# One\n\n### *Three*\n\ntext", ["**One**", "", "**Three**", "", "text"]),
        ("* a\n  + b\n* c", ["-   a", "    -   b", "-   c"]),
        ("3. a\n\n   more\n4. b", ["1.  a", "", "    more", "", "2.  b"]),
        ("> said\n>\n> - item", ["> said", ">", "> -   item"]),
        ("~~~js title='x'\n{{ a }}\n```\n~~~", ["````text", "{{ a }}", "```", "````"]),
        ("a | b\n--|--\n`c` | d", ["| a | b |", "| --- | --- |", "| `c` | d |"]),
        ("[x](https://example.com/a_(b)?c=1&d=2)", ["[x](https://example.com/a%5F%28b%29?c=1&d=2)"]),
        ("<https://example.com>", ["[https://example.com](https://example.com)"]),
        ("[x](#part) [y](other.md) ![z](https://example.com/z.png)", [r"x y \![z](https://example.com/z.png)"]),
        (
            "<b>bold</b>\n\n<script>\nalert(1)\n</script>",
            ["&lt;b&gt;bold&lt;/b&gt;", "", "&lt;script&gt; alert(1) &lt;/script&gt;"],
        ),
        ("---\n\n", []),
        ("", []),
    ],
)
def test_a_description_is_written_anew(text: str, written: list[str]) -> None:
    assert list(lines(text)) == written


def test_one_line_keeps_its_code_and_links() -> None:
    assert MARKDOWN.summary("# the `type` of [x](https://example.com)") == r"\# the `type` of [x](https://example.com)"


def test_links_of_texts_for_language_models_show_where_they_lead() -> None:
    assert WORDS.summary("see [x](https://example.com) and <https://example.com>") == (
        "see x (https://example.com) and https://example.com"
    )


def test_a_number_is_escaped_in_texts_for_language_models_where_it_would_begin_a_list() -> None:
    assert [WORDS.text(text) for text in ("1.0.0", "1. one", "2)")] == ["1.0.0", r"1\. one", r"2\)"]


def words(html: str) -> list[str]:
    return unescape(re.sub(r"<[^>]*>", " ", html)).split()


MARKS = st.text(st.sampled_from(list("ab1 \n\n\\`*_[](){}#!|~-+.<>&:>")), max_size=40)
PARTS = st.lists(
    st.sampled_from(
        ["- a", "  - b", "1. c", "    d", "> e", "# f", "```", "---", "text", "", "| a | b |", "|--|--|", "*g*", "`h`"]
    ),
    max_size=12,
).map("\n".join)


@given(MARKS | PARTS)
def test_no_words_are_lost_and_none_become_markup(text: str) -> None:
    rewritten = "\n".join(lines(text))
    html: str = MarkdownIt("commonmark", {"html": True}).enable("table").render(rewritten)
    original: str = parser().render(without_unseen(text).strip())
    assert "".join(words(html)) == "".join(words(original))
    own = set(re.findall(r"<(\w+)", html))
    assert own <= {
        "p",
        "strong",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "a",
    }


@given(MARKS)
def test_both_sites_read_the_same(text: str) -> None:
    inline = MARKDOWN.summary(text)
    assert words(rendered_by_mkdocs(inline)) == words(rendered_by_sphinx(inline))
