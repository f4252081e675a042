"""Property values as they are compared and as they are shown."""

from __future__ import annotations

from lastmile_sls.engine.interface import UNKNOWN, Secret
from lastmile_sls.engine.properties import (
    ARCHIVE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_SENTINEL,
    comparable,
    secret,
    shown,
)

ARCHIVE = {SIGNATURE_KEY: ARCHIVE_SIGNATURE, "hash": "abc"}


def test_files_are_compared_by_their_content() -> None:
    here, there = {**ARCHIVE, "path": "here.zip"}, {**ARCHIVE, "path": "there.zip"}
    assert comparable({"code": [here]}) == comparable({"code": [there]}) == {"code": [ARCHIVE]}
    assert comparable({"code": here}) != comparable({"code": {**here, "hash": "other"}})


def test_secrets_are_compared_by_their_value() -> None:
    assert comparable({"key": secret("x"), "n": 1}) == {"key": "x", "n": 1}


def test_people_see_neither_secrets_nor_sentinels() -> None:
    blinded = {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": "[secret]"}
    seen = shown({"key": secret("s3cret"), "blinded": blinded, "arn": [UNKNOWN_SENTINEL], "code": ARCHIVE})
    assert seen == {"key": Secret("s3cret"), "blinded": Secret(None), "arn": [UNKNOWN], "code": ARCHIVE}
    assert "s3cret" not in repr(seen)
