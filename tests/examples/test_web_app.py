"""Tokens, a domain, web pages and a rate limit: refused where there is no domain."""

from __future__ import annotations

import shutil

from tests.examples.projects import FOLDER
from tests.lastmile_sls.commands import Workspace

EXAMPLE = "web-app"


def test_this_machine_refuses_its_domain(work: Workspace) -> None:
    shutil.copytree(FOLDER / EXAMPLE, work.folder, dirs_exist_ok=True)
    assert work.fails("up") == (
        "error: the target local cannot carry this spec:\n"
        "  endpoint.domain is 'house-price.example.com', but the local target is reached on this machine only. "
        "Take it out.\n"
    )
