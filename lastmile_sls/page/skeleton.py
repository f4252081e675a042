"""The HTML page around a report, and its plain parts: sections, facts, paragraphs, lists, what is folded away."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lastmile_sls.page.markup import Markup, element

_STYLE = Path(__file__).with_name("page.css")


def document(title: str, body: Markup, *, subtitle: str = "", note: Markup | str = "") -> Markup:
    """Return a whole page: it runs no script, and asks no network for anything.

    Args:
        title: The page's name and its heading.
        body: What `section` and the others made.
        subtitle: A line below the heading: of what, from when.
        note: A banner above everything else, such as that the numbers are made up.

    A policy in the page forbids scripts, and every style but its own (w3.org/TR/CSP3, 2026-11-30).
    """
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(style)),
    )
    heading = [element("h1", title), *([element("p", subtitle, class_="quiet")] if subtitle else [])]
    inside = element(
        "body",
        element("a", "Skip to the report", class_="skip", href="#report"),
        *([element("aside", note, class_="banner", aria_label="What this is")] if note else []),
        element("header", *heading),
        element("main", body, id="report", tabindex="-1"),
    )
    return Markup(f"<!doctype html>\n{element('html', head, inside, lang='en')}\n")


def section(heading: str, *children: str, level: int = 2) -> Markup:
    """Return a section with its heading; a link to it names `anchor(heading)`."""
    name = anchor(heading)
    return element(
        "section",
        element(f"h{level}", heading, id=f"{name}-heading"),
        *children,
        id=name,
        aria_labelledby=f"{name}-heading",
    )


def anchor(heading: str) -> str:
    """Return what a link to a section names: its heading's words."""
    return "-".join("".join(c if c.isalnum() else " " for c in heading.lower()).split())


def contents(headings: Iterable[str]) -> Markup:
    """Return links to the sections of a long page."""
    links = [element("li", element("a", heading, href=f"#{anchor(heading)}")) for heading in headings]
    return element("nav", element("ul", *links), aria_label="On this page")


def facts(entries: Iterable[tuple[str, str, str]]) -> Markup:
    """Return numbers that stand out: each has a name, a value and a line below it, which may be empty."""
    return element(
        "dl",
        *(
            element("div", element("dt", name), element("dd", value, element("small", more)))
            for name, value, more in entries
        ),
        class_="facts",
    )


def paragraph(*children: str, quiet: bool = False) -> Markup:
    """Return a paragraph; a quiet one explains what stands beside it."""
    return element("p", *children, class_="quiet" if quiet else None)


def listed(entries: Iterable[str]) -> Markup:
    """Return a list of sentences; nothing for none."""
    items = [element("li", entry) for entry in entries]
    return element("ul", *items) if items else Markup("")


def folded(summary: str, *children: str, opened: bool = False) -> Markup:
    """Return what is shown when its summary is opened."""
    return element("details", element("summary", summary), *children, open=opened)


def banner(*children: str) -> Markup:
    """Return a paragraph that must not be overlooked."""
    return element("p", *children, class_="warning", role="note")


@cache
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8").strip()
