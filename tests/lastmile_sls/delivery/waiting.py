"""A patience whose time passes at once."""

from __future__ import annotations

from lastmile_sls.delivery.patience import Patience


class FakePatience(Patience):
    """Notes how long was waited; while somebody waits, its clock goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        super().pause(0)
        self.pauses.append(seconds)
        self.time += seconds
