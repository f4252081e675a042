"""A key is made once, is a secret wherever it is kept, and is known by its digest."""

from __future__ import annotations

import base64
import hashlib

import pytest

from lastmile_sls.delivery.key import Key
from lastmile_sls.engine.properties import is_unknown
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import State


def test_a_key_is_random_and_known_by_its_digest() -> None:
    id_, made = Key().create("urn", {"name": "first"})
    assert id_ == "first"
    assert len(base64.urlsafe_b64decode(made["value"] + "=")) == 32
    assert made["digest"] == f"sha256:{hashlib.sha256(made['value'].encode()).hexdigest()}"
    assert Key().create("urn", {"name": "first"})[1] != made
    assert is_unknown(Key().planned({"name": "first"}, {})["value"])


def test_a_key_keeps_its_value() -> None:
    outputs = {"name": "first", "value": "v", "digest": "d"}
    state = State("first", {"name": "first"}, outputs)
    assert Key().update("urn", state, {"name": "first"}) == outputs
    assert Key().planned({"name": "first"}, outputs) == {"value": "v", "digest": "d"}
    assert Key().read(state) == ({"name": "first"}, outputs)


def test_a_key_cannot_be_imported() -> None:
    with pytest.raises(LastmileError) as caught:
        Key().read(State("first", {}, {}))
    assert caught.value.message == "the key first cannot be imported: nobody but a stack's state has it."
