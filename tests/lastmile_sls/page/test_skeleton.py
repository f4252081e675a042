"""A page runs nothing, asks nobody, and can be walked through by keys and by ear."""

from __future__ import annotations

import base64
import hashlib
import re

from lastmile_sls import page


def test_a_page_forbids_everything_but_its_own_style() -> None:
    made = page.document(
        "Costs of <script>", page.section("By model", page.paragraph("x")), subtitle="1 & 2", note="made up"
    )
    style = re.search("<style>(.*?)</style>", made, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'content="{policy}"' in made.replace("&#x27;", "'")
    assert "<script" not in made
    assert "http:" not in made
    assert "https:" not in made
    assert "style=" not in made
    assert "url(" not in made


def test_a_page_has_landmarks_and_a_way_past_its_head() -> None:
    made = page.document(
        "Costs", page.section("By model", page.paragraph("x")), subtitle="1 & 2", note="made up"
    )
    body = made.partition("<body>")[2]
    assert body == (
        '<a class="skip" href="#report">Skip to the report</a>'
        '<aside class="banner" aria-label="What this is">made up</aside>'
        '<header><h1>Costs</h1><p class="quiet">1 &amp; 2</p></header>'
        '<main id="report" tabindex="-1"><section id="by-model" aria-labelledby="by-model-heading">'
        '<h2 id="by-model-heading">By model</h2><p>x</p></section></main></body></html>\n'
    )
    assert made.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">')
    assert "aside" not in page.document("Costs", page.paragraph("x"))


def test_the_plain_parts() -> None:
    assert page.listed([]) == ""
    assert page.listed(["<a>"]) == "<ul><li>&lt;a&gt;</li></ul>"
    assert page.folded("more", "x", opened=True) == "<details open><summary>more</summary>x</details>"
    assert page.banner("x") == '<p class="warning" role="note">x</p>'
    assert page.facts([("Total", "1", "USD")]) == (
        '<dl class="facts"><div><dt>Total</dt><dd>1<small>USD</small></dd></div></dl>'
    )
