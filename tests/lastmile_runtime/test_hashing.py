from __future__ import annotations

import hashlib

import pytest

from lastmile_runtime.hashing import LARGE_BYTES, blake2b64, sha256


@pytest.mark.parametrize("size", [0, LARGE_BYTES - 1, LARGE_BYTES])
def test_sha256_is_the_same_whichever_module_computes_it(size: int) -> None:
    hasher = sha256(size)
    hasher.update(b"model")
    assert hasher.hexdigest() == hashlib.sha256(b"model").hexdigest()


def test_blake2b64_is_blake2b_of_eight_bytes() -> None:
    assert blake2b64(b"key") == int.from_bytes(hashlib.blake2b(b"key", digest_size=8).digest(), "big")
