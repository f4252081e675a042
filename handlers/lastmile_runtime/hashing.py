"""Hash functions: the interpreter's own where they start sooner, OpenSSL's where they finish sooner."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

LARGE_BYTES = 1 << 20
"""From here on importing hashlib (3 ms) pays: OpenSSL hashes 1.4 GB/s, the built-in module 0.3 (CPython 3.11)."""


def sha256(size: int) -> Any:
    """Return an empty SHA-256 hasher for content of about `size` bytes."""
    return _first(("hashlib",) if size >= LARGE_BYTES else ("_sha2", "_sha256", "hashlib"), "sha256")()


def blake2b64(content: bytes) -> int:
    """Return the content's BLAKE2b digest as a number of 64 bits."""
    digest = _first(("_blake2", "hashlib"), "blake2b")(content, digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _first(modules: tuple[str, ...], name: str) -> Any:
    """Return a function from the first of the modules that this interpreter was built with; hashlib always is."""
    *optional, last = modules
    for module in optional:
        try:
            return getattr(__import__(module), name)
        except ImportError:
            continue
    return getattr(__import__(last), name)
