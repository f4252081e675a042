from __future__ import annotations

from lastmile_sls.local.functions import backoff_s
from lastmile_sls.local.ratelimit import TokenBucket


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    now = [0.0]
    bucket = TokenBucket(2.0, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    now[0] = 0.5
    assert bucket.take() == 0.0
    now[0] = 100.0
    assert bucket.headers() == [(b"ratelimit-policy", b'"default";q=3;w=2'), (b"ratelimit", b'"default";r=0')]
    assert bucket.take() == 0.0
    assert bucket.headers()[1] == (b"ratelimit", b'"default";r=2')


def test_the_backoff_grows_to_half_a_minute() -> None:
    assert [backoff_s(n) for n in (0, 1, 2, 3, 4, 8, 10_000)] == [0.0, 0.0, 0.5, 1.0, 2.0, 30.0, 30.0]
