"""Text is escaped where an element is made of it, and markup stands as it is."""

from __future__ import annotations

import pytest

from lastmile_sls.page.markup import Markup, element, together


@pytest.mark.parametrize(
    ("made", "html"),
    [
        (element("p", "a < b & c"), "<p>a &lt; b &amp; c</p>"),
        (element("p", element("b", '"'), " and"), "<p><b>&quot;</b> and</p>"),
        (element("a", "x", title='" onclick="run()'), '<a title="&quot; onclick=&quot;run()">x</a>'),
        (element("meta", http_equiv="x", charset=None), '<meta http-equiv="x">'),
        (element("details", open=True), "<details open></details>"),
        (element("details", open=False), "<details></details>"),
        (
            element("rect", x=1.0, y=2.345, width=3, class_="f0"),
            '<rect x="1" y="2.35" width="3" class="f0"></rect>',
        ),
        (element("p", "a\x00b\u202ec\td"), "<p>a\ufffdb\ufffdc\td</p>"),
        (together("<", Markup("<br>"), ">"), "&lt;<br>&gt;"),
    ],
)
def test_text_is_escaped_and_markup_is_not(made: Markup, html: str) -> None:
    assert made == html
    assert isinstance(made, Markup)


def test_what_is_put_together_of_markup_by_python_is_text_again() -> None:
    assert together(Markup("<b>") + "<i>") == "&lt;b&gt;&lt;i&gt;"
