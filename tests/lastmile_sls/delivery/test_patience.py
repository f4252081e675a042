"""Waiting ends when it is told to, and pauses grow until a deadline."""

from __future__ import annotations

import threading

import pytest

from lastmile_sls.delivery.patience import Backoff, Patience
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.delivery.waiting import FakePatience


def test_a_pause_ends_when_all_is_to_end() -> None:
    patience = Patience()
    patience.pause(0)
    threading.Timer(0.01, patience.end).start()
    with pytest.raises(LastmileError) as caught:
        patience.pause(600)
    assert str(caught.value) == "stopped before the end.\nRun again; what has arrived is not sent again."


def test_pauses_grow_until_the_deadline() -> None:
    patience = FakePatience()
    backoff = Backoff(patience, 60)
    while backoff.pause():
        pass
    assert patience.pauses == [1, 2, 4, 8, 15, 15, 15]
    assert patience.now() <= 1060
