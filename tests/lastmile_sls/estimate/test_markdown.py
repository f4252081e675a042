"""The comment on a pull request."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from markdown_it import MarkdownIt

from lastmile_sls.estimate.diff import diff
from lastmile_sls.estimate.markdown import escaped, marker, to_markdown
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions
from tests.lastmile_sls.estimate.priced import estimated, traffic

TODAY = date(2026, 11, 30)
COMMENT = """<!-- lastmile estimate: churn-dev on aws -->
### What churn-dev costs

| requests a month | before | after | change | 1 000 predictions |
|--:|--:|--:|--:|--:|
| 1\u00a0000\u00a0000 | 8.00 | **13.50 USD** | +5.50 (+68.75 %) | 0.0160 → 0.0135 |

| | resource | before | after | change |
|---|---|--:|--:|--:|
| ± | Function churn-dev-predict<br>Requests 500\u00a0000 → 1\u00a0000\u00a0000 request; \
Time 5\u00a0500 → 11\u00a0000 second | 6.00 | 11.50 | +5.50 |

<details>
<summary>Every meter after the change</summary>

| resource | meter | quantity | unit | a unit | a month, USD |
|---|---|--:|---|--:|--:|
| churn-dev-predict | \\* Requests | 1\u00a0000\u00a0000 | request | 0.000001 | 1.00 |
| churn-dev-predict | \\* Time | 11\u00a0000 | second | ø 0.000955 | 10.50 |
| churn-dev-state | Keeping | 1 | month | 2 | 2.00 |

At rest 2.00; \\* by the traffic 11.50.

| version | share | its own | shared | a month | 1 000 predictions |
|---|--:|--:|--:|--:|--:|
| v1 | 90 % | 8.59 | 2.70 | 11.29 | 0.0125 |
| v2 | 10 % | 1.91 | 0.30 | 2.21 | 0.0221 |

Tags: model: churn, owner: a\\|b&lt;i&gt;.

</details>

> nobody could read the price of Keeping in eu-west-1 at its source \\(https\\://prices.example\\)

<sub>aws, eu-west-1; list prices read 2026-11-01, nothing taken off for free units.</sub>
"""


def test_a_comment_says_what_changes() -> None:
    found = to_markdown({"": diff(estimated(traffic(requests=Decimal(500_000))), estimated())}, TODAY)
    assert found == COMMENT


def test_several_shapes_and_what_is_new_or_stays() -> None:
    apart = estimated(traffic(), plan_of(spec_of(**two_versions(apart=True)), "aws"))
    found = to_markdown(
        {
            "idle": diff(estimated(), estimated()),
            "a|b": diff(None, estimated()),
            "apart": diff(estimated(), apart),
        },
        TODAY,
    )
    assert "| traffic | requests a month | before |" in found
    assert "**idle**\n\nNothing changes in what a month costs.\n" in found
    assert "| a\\|b | 1\u00a0000\u00a0000 | - | **13.50 USD** | new | 0.0135 |" in found
    assert "| + | Function churn-dev-predict-v2 | - |" in found
    gone = to_markdown({"": diff(apart, estimated())}, TODAY)
    assert "| - | Function churn-dev-predict-v2 |" in gone


def test_nothing_of_a_tag_is_html_a_link_or_a_mention() -> None:
    bad = "<script>alert(1)</script> [x](http://y) @team #1 | `a` ![i](j)\n- list"
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(
        f"| a |\n|---|\n| {escaped(bad)} |\n"
    )
    assert "<script" not in html
    assert "<a " not in html
    assert "<img" not in html
    assert html.count("<td>") == 1
    assert "@team" not in escaped(bad)
    assert marker("churn--> <b>", "aws") == "<!-- lastmile estimate: churnb on aws -->"
