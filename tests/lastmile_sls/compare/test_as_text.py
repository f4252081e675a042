"""The comparison on a terminal: all of it, and no line wider than that."""

from __future__ import annotations

from dataclasses import replace

from lastmile_sls.compare.as_text import lines_of
from lastmile_sls.compare.compare import compare
from tests.lastmile_sls.compare import priced

SPEC = priced.spec()


def test_a_terminal_of_eighty_columns() -> None:
    offers = priced.offers(SPEC, [256, 512, 600])
    offers[1] = replace(
        offers[1], plan=None, why="pulumi_gcp is not installed. Install it: pip install 'lastmile-sls[gcp]'"
    )
    lines = list(lines_of(compare(offers, priced.question(SPEC, priced.shape()), ()), 80))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines).replace("\u00a0", " ")
    assert text.startswith(
        "churn-dev: 1 000 000 requests a month\n\nTake aws with 512 MB: 1 000 000 requests a month cost"
    )
    assert (
        """
in USD; → what to take there, * the spec's own size
          memory  processors  a request  at rest  a month  per 1 000
  aws    256 MB         0.14     100 ms     4.00     5.25    0.00525
→        512 MB*        0.29     100 ms     4.00     5.50     0.0055
         600 MB         0.34     100 ms     4.00     5.59    0.00559
✗ gcp    pulumi_gcp is not installed. Install it: pip install
         'lastmile-sls[gcp]'
✗ azure  256 MB
         azure has no 256 MB; the nearest is 512 MB.
→        512 MB*        0.25     100 ms     0.00    11.50     0.0115
✗        600 MB
         azure has no 600 MB; the nearest is 512 MB.
"""
        in text
    )
    assert (
        "\nwhere prices cross:\n  390 244 requests a month, 4.49 USD: azure below, aws from there on\n"
        in text
    )
    assert (
        "\nfirst answer of a new process, on a machine:\n  v1: 70 ms, 200 MB\n"
        "  v2: not measured: its model does not say what it takes\n" in text
    )
    assert (
        "\nazure does in its own way:\n  · resources: an instance that answers is paid for at least a second"
        in text
    )
    assert "\n· List prices, without tax and discounts; " in text
