"""Each example's life on each cloud is lived once, whichever tests ask for it and in however many processes they run."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lastmile_sls.plan.document import Target
from tests.clouds.played import KEY
from tests.examples.lives import Life, live

Lived = Callable[[str, Target], Life]


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Return what tells an example's life on a cloud, on the embedded engine."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "lives"
    folder.mkdir(exist_ok=True)
    known: dict[tuple[str, Target], Life] = {}

    def tell(example: str, cloud: Target) -> Life:
        if (example, cloud) not in known:
            known[example, cloud] = _lived_once(example, cloud, folder / f"{example}-{cloud}")
        return known[example, cloud]

    return tell


def _lived_once(example: str, cloud: Target, folder: Path) -> Life:
    """Return the life that another process has written down, or live it and write it down."""
    note = folder.with_suffix(".pickle")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if note.exists():
            life: Life = pickle.loads(note.read_bytes())  # this test run has written it
        else:
            shutil.rmtree(folder, ignore_errors=True)  # of a life that failed
            life = live("embedded", example, cloud, folder, KEY)
            note.write_bytes(pickle.dumps(life))
    return life
