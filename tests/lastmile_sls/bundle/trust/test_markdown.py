"""Whatever a user wrote shows as they wrote it, says a Markdown parser that others wrote."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lastmile_sls.bundle.trust.markdown import escape, listed, table

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SPECIAL = st.text(st.sampled_from('\\`*_{}[]()<>#|~&!@:$^=+-.1)" \n\tazé'), max_size=30)


def shown(markdown: str) -> list[str]:
    """Return what is shown, a text for each block; anything but text fails."""
    found = []
    for token in PARSER.parse(markdown):
        if token.type == "inline":
            found.append("".join(map(_text, token.children or [])))
        else:
            assert token.type.endswith(("_open", "_close")), token.type
    return found


def _text(token: Token) -> str:
    assert token.type in ("text", "text_special"), f"{token.type}: {token.content!r}"
    return token.content


def plain(text: str) -> str:
    """Return a text as it is to be shown: one line, without what cannot be seen."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return " ".join(re.sub("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", kept).split())


@given(SPECIAL | st.text(max_size=30))
@example("1. first")
@example("+ item")
@example("--- ")
@example("-")
@example("- - -")
@example("-0.5")
@example("\\|")
@example("a\\")
@example("<script>alert(1)</script>")
@example("![x](http://example.com/x.png)")
@example("[x]: http://example.com")
@example("&copy;")
@example("Title\n===")
@example("\x00\u202eabc")
def test_any_text_shows_as_it_is(text: str) -> None:
    expected = plain(text)
    one = [expected] if expected else []
    assert shown(escape(text)) == one
    assert shown(f"Says {escape(text)} here.") == [" ".join(f"Says {expected} here.".split())] or not expected
    assert shown(listed([text])) == one
    assert shown(f"# Title: {escape(text)}") == [f"Title: {expected}".strip()]
    assert shown(table(("a", text), [(text, "b"), ("c", text)])) == [
        "a",
        expected,
        expected,
        "b",
        "c",
        expected,
    ]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("https://example.com", "https\\://example.com"),
        ("www.example.com", "www\\.example.com"),
        ("ann@example.com", "ann\\@example.com"),
    ],
)
def test_no_address_becomes_a_link_on_code_forges(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_readable_texts_stay_readable() -> None:
    assert (
        escape("Churn, version 2.1 (beta); it's 50% better") == "Churn, version 2.1 (beta); it's 50% better"
    )
