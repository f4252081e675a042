"""A gzip stream that any reader takes, and that does not depend on how it was written."""

from __future__ import annotations

import gzip
import hashlib
import io
import random

import pytest

from lastmile_sls.bundle.oci.gzip_writer import BLOCK, GzipWriter

NOISE = random.Random(0)


def compress(content: bytes, step: int) -> tuple[bytes, GzipWriter]:
    stream = io.BytesIO()
    with GzipWriter(stream) as writer:
        for start in range(0, len(content), step):
            writer.write(content[start : start + step])
    return stream.getvalue(), writer


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 12_345])
def test_what_is_written_is_read(size: int) -> None:
    content = (NOISE.randbytes(1000) + bytes(1000)) * (size // 2000 + 1)
    found, writer = compress(content[:size], 10_240)
    assert gzip.decompress(found) == content[:size]
    assert writer.digest == f"sha256:{hashlib.sha256(found).hexdigest()}"
    assert writer.diff_id == f"sha256:{hashlib.sha256(content[:size]).hexdigest()}"
    assert (writer.size, writer.tell()) == (len(found), size)


def test_the_bytes_do_not_depend_on_the_sizes_of_writes() -> None:
    content = NOISE.randbytes(2 * BLOCK + 77)
    assert compress(content, 512)[0] == compress(content, 3 * BLOCK)[0]


def test_it_compresses() -> None:
    words = b" ".join(NOISE.choice([b"weight", b"bias", b"layer", b"relu"]) for _ in range(400_000))
    assert len(compress(words, BLOCK)[0]) < 1.02 * len(gzip.compress(words, 6))


def test_it_holds_no_time_name_or_system() -> None:
    found, _ = compress(b"x", 1)
    assert found[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Full(io.BytesIO):
    def write(self, content: object, /) -> int:
        raise OSError(28, "No space left on device")


def test_a_failure_to_write_is_raised() -> None:
    with pytest.raises(OSError, match="No space left"), GzipWriter(Full()) as writer:
        writer.write(b"x")
