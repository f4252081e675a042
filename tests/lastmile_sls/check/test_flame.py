"""The page of a cold start: whole, self-contained, and safe whatever a module is called."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from lastmile_sls.check.bundle import Size
from lastmile_sls.check.checked import Checked, Result, Start
from lastmile_sls.check.flame import render
from lastmile_sls.check.phases import Phase
from lastmile_sls.check.profile import Import, Origins, Profile

PHASES = (Phase("interpreter", 0.0, 10.0), Phase("model", 10.0, 80.0), Phase("answer", 90.0, 10.0))
EVIL = "</script><img src=x onerror=alert(1)>"


def found(profile: Profile | None, model: str = "churn") -> tuple[Checked, Result]:
    start = Start(100.0, 20.0, PHASES, 50 * 2**20)
    result = Result("gcp container", "Cloud Run, container", (start,), 60 * 2**20, profile)
    return Checked("gcp", model, "sha256:" + "0" * 64, "3.13.0", Size(1, 1, 1), (result,), ()), result


def profile(*packages: str) -> Profile:
    parts = tuple(
        Import(f"{name}.sub", 1000 * (20 - place), 1000 * (20 - place), "sklearn", 20.0, "model", ())
        for place, name in enumerate(packages)
    )
    imports = (
        Import("os", 500, 500, None, 1.0, "interpreter", ()),
        Import("sklearn", 30_000, 70_000, None, 12.0, "model", parts),
        Import("lastmile_runtime.http", 400, 400, None, 90.0, "answer", ()),
    )
    return Profile(
        100.0, PHASES, imports, Origins(frozenset({"os"}), packages=frozenset({"sklearn", *packages}))
    )


class Page(HTMLParser):
    """What a page asks for, and its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asks: list[str] = []
        self.tags: list[str] = []
        self.data = ""
        self._in_data = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asks += [str(value) for name, value in attrs if name in ("src", "href", "action", "srcset")]
        self._in_data = ("id", "data") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data += data


def test_it_has_all_that_was_measured() -> None:
    text = render(*found(profile("scipy", "numpy")))
    page = Page(text)
    data = json.loads(page.data)
    assert data["total_ms"] == 100.0
    assert [(phase["name"], phase["ms"]) for phase in data["phases"]] == [
        ("interpreter", 10),
        ("model", 80),
        ("answer", 10),
    ]
    # Name, depth, start, with its imports, own, parent, group, phase.
    names = [group["name"] for group in data["groups"]]
    assert data["imports"][1] == ["sklearn", 0, 12.0, 70.0, 30.0, None, names.index("sklearn"), 1]
    assert data["imports"][3] == ["numpy.sub", 1, 20.0, 19.0, 19.0, 1, names.index("numpy"), 1]
    assert [group["name"] for group in data["groups"]][:3] == ["sklearn", "scipy", "numpy"]
    assert "Cold start of churn" in text
    assert "100 ms" in text
    assert not re.search("@@[A-Z]+@@", text)


def test_it_asks_nobody_for_anything() -> None:
    text = render(*found(profile("scipy")))
    page = Page(text)
    assert page.asks == []
    assert not {"link", "img", "iframe", "object", "embed"} & set(page.tags)
    without_namespaces = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", without_namespaces)


def test_it_can_be_used_without_a_mouse_and_in_the_dark() -> None:
    text = render(*found(profile("scipy")))
    assert '<html lang="en">' in text
    assert 'content="light dark"' in text
    assert "prefers-color-scheme: dark" in text
    for needed in ("aria-label", "tabindex", "<noscript>", "ArrowDown", "Escape", 'element("title"'):
        assert needed in text


def test_names_cannot_break_out_of_the_page() -> None:
    evil = Profile(100.0, PHASES, (Import(EVIL, 5, 5, None, 1.0, "model", ()),), Origins(frozenset()))
    text = render(*found(evil, model="<b>&\"'"))
    page = Page(text)
    assert json.loads(page.data)["imports"][0][0] == EVIL
    assert "img" not in page.tags
    assert page.tags.count("script") == 2
    assert "<b>&\"'" not in text


def test_the_dearest_packages_have_a_colour_of_their_own_and_the_others_share_one() -> None:
    packages = [f"package{number}" for number in range(12)]
    groups = json.loads(Page(render(*found(profile(*packages)))).data)["groups"]
    colours = {group["name"]: group["color"] for group in groups}
    own = [colours[name] for name in ("sklearn", *packages[:6])]
    assert len(set(own)) == 7
    assert set(packages[6:]) & set(colours) == set()
    assert colours["other packages"] not in own
    template = render(*found(profile(*packages)))
    for colour in colours.values():
        assert template.count(f"{colour}:") == 2  # light and dark


def test_without_a_profile_there_is_no_page() -> None:
    with pytest.raises(ValueError) as caught:
        render(*found(None))
    assert str(caught.value) == "gcp container has no import profile."
