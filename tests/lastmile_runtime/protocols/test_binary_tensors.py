"""Binary tensors: the exact bytes of the extension, both ways, for every datatype."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import Version
from lastmile_runtime.protocols.binary_tensors import read_all, split, to_bytes
from lastmile_runtime.tensors import DATATYPES, INTEGER_RANGES, Tensor
from tests.lastmile_runtime.bundles import MODEL, Client, matrix, python_bundle, write_bundle

NUMPY = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"} | {
    name: f"<{'u' if name.startswith('U') else 'i'}{int(name.lstrip('UINT')) // 8}" for name in INTEGER_RANGES
}


def values(datatype: str) -> st.SearchStrategy[list[Any]]:
    if datatype == "BYTES":
        return st.lists(st.binary().map(lambda b: b.decode("utf-8", "surrogateescape")), max_size=9)
    if datatype == "BOOL":
        return st.lists(st.booleans(), max_size=9)
    if datatype in INTEGER_RANGES:
        return st.lists(st.integers(*INTEGER_RANGES[datatype]), max_size=9)
    width = {"FP16": 16, "FP32": 32, "FP64": 64}[datatype]
    return st.lists(st.floats(width=width), max_size=9)  # type: ignore[arg-type] # one of its three


@given(st.sampled_from(DATATYPES).flatmap(lambda datatype: st.tuples(st.just(datatype), values(datatype))))
def test_what_is_written_is_read_back(pair: tuple[str, list[Any]]) -> None:
    datatype, data = pair
    content = to_bytes(Tensor("x", datatype, [len(data)], data))
    entry = {"name": "x", "shape": [len(data)], "datatype": datatype}
    (found,) = read_all([{**entry, "parameters": {"binary_data_size": len(content)}}], content)
    assert repr(found.data) == repr(data)


@pytest.mark.parametrize("datatype", list(NUMPY))
def test_the_bytes_are_those_of_numpy(datatype: str) -> None:
    data: list[Any] = [True, False] if datatype == "BOOL" else [1, 100]
    assert to_bytes(Tensor("x", datatype, [2], data)) == np.array(data, dtype=NUMPY[datatype]).tobytes()


def test_texts_have_their_length_before_them() -> None:
    assert to_bytes(Tensor("x", "BYTES", [2], ["ab", "é"])) == b"\x02\0\0\0ab\x02\0\0\0\xc3\xa9"


def post(client: Client, document: Any, binary: bytes, length: str | None = None) -> Response:
    head = json.dumps(document).encode()
    headers = {"inference-header-content-length": length or str(len(head))}
    return client.application.handle(Request("POST", f"/v2/models/{MODEL}/infer", headers, head + binary))


def test_a_binary_request_gets_a_binary_answer_where_it_asks_for_it(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path))
    entry = {"name": "x", "shape": [1, 2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}
    document = {"id": "7", "inputs": [entry], "parameters": {"binary_data_output": True}}
    response = post(client, document, struct.pack("<2d", 1, math.inf))
    assert response.status == 200
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers["inference-header-content-length"])
    assert json.loads(response.body[:length]) == {
        "model_name": MODEL,
        "model_version": "v1",
        "id": "7",
        "outputs": [
            {"name": "doubled", "shape": [1, 2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}
        ],
    }
    assert struct.unpack("<2d", response.body[length:]) == (2, math.inf)


def test_one_output_may_be_binary_by_itself_and_a_json_request_may_ask_for_it(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path))
    wanted = [{"name": "doubled", "parameters": {"binary_data": True}}]
    response = client.infer({"inputs": [matrix([[1, 2]])], "outputs": wanted})
    assert response.body.endswith(struct.pack("<2d", 2, 4))
    refused = [{"name": "doubled", "parameters": {"binary_data": False}}]
    document = {"inputs": [matrix([[1, 2]])], "outputs": refused, "parameters": {"binary_data_output": True}}
    response = client.infer(document)
    assert json.loads(response.body)["outputs"][0]["data"] == [2, 4]
    assert response.headers["content-type"] == "application/json"
    assert "inference-header-content-length" not in response.headers


def test_inputs_may_be_mixed_and_are_read_in_their_order() -> None:
    entries = [
        entry(2, "BOOL"),
        {"name": "y", "shape": [1], "datatype": "INT8", "data": [7]},
        entry(4, "FP16"),
    ]
    found = read_all(entries, b"\1\0" + struct.pack("<2e", 0.5, math.inf))
    assert [tensor.data for tensor in found] == [[True, False], [7], [0.5, math.inf]]


ECHO = """
class Model:
    def predict(self, inputs):
        return {"doubled": inputs["x"], "length": [len(inputs["x"])]}
"""


@pytest.fixture
def echo(tmp_path: Path) -> Client:
    """A class that declares nothing and gives back the texts that it is given, and how many they are."""
    version = Version("v1", "python", "models/v1/model.py", "Model")
    return Client(tmp_path, write_bundle(tmp_path, [version], {version.artifact: ECHO}))


def test_bytes_that_are_no_text_come_back_as_they_were(echo: Client) -> None:
    content = b"\2\0\0\0\xff\xfe\0\0\0\0"
    document = {
        "inputs": [entry(10, "BYTES")],
        "outputs": [{"name": "doubled", "parameters": {"binary_data": True}}],
    }
    response = post(echo, document, content)
    assert response.status == 200
    assert response.body.endswith(content)


def test_bytes_that_are_no_text_are_not_put_into_json(echo: Client) -> None:
    outputs = [{"name": "length", "parameters": {"binary_data": True}}, {"name": "doubled"}]
    response = post(echo, {"inputs": [entry(5, "BYTES", (1,))], "outputs": outputs}, b"\1\0\0\0\xff")
    message = "output 'doubled' has bytes that are not UTF-8; ask for it with the parameter binary_data."
    assert (response.status, json.loads(response.body)) == (400, {"error": message})


def test_an_output_of_each_kind_is_asked_for_by_itself(echo: Client) -> None:
    outputs = [{"name": "length", "parameters": {"binary_data": True}}, {"name": "doubled"}]
    response = post(echo, {"inputs": [entry(5, "BYTES", (1,))], "outputs": outputs}, b"\1\0\0\0a")
    length = int(response.headers["inference-header-content-length"])
    assert json.loads(response.body[:length])["outputs"] == [
        {"name": "length", "shape": [1], "datatype": "INT64", "parameters": {"binary_data_size": 8}},
        {"name": "doubled", "shape": [1], "datatype": "BYTES", "data": ["a"]},
    ]
    assert response.body[length:] == struct.pack("<q", 1)


def test_what_lies_beyond_a_half_is_infinite_in_it() -> None:
    content = to_bytes(Tensor("x", "FP16", [4], [70000.0, -1e9, 65504.0, math.nan]))
    assert content == b"\x00\x7c\x00\xfc\xff\x7b\x00\x7e"


@pytest.mark.parametrize("length", ["x", "-1", "99999", "1e3", "٣"])
def test_a_wrong_length_is_refused(tmp_path: Path, length: str) -> None:
    response = post(Client(tmp_path, python_bundle(tmp_path)), {}, b"", length)
    message = f"inference-header-content-length is {length!r}, but must be a number of bytes of the body, which has 2."
    assert (response.status, json.loads(response.body)["error"]) == (400, message)


def entry(size: Any, datatype: str = "FP64", shape: tuple[int, ...] = (2,), **more: Any) -> dict[str, Any]:
    parameters = {"binary_data_size": size}
    return {"name": "x", "shape": list(shape), "datatype": datatype, "parameters": parameters, **more}


@pytest.mark.parametrize(
    ("entries", "binary", "message"),
    [
        ([entry(16)], b"\0" * 15, "input 'x' takes 16 bytes, but 15 are left in the body."),
        ([entry(16)], b"\0" * 17, "the body has 1 bytes that belong to no input."),
        ([entry(8)], b"\0" * 8, "input 'x' has 8 bytes, but its shape [2] of FP64 takes 16."),
        ([entry("8")], b"", "input 'x' has the binary_data_size '8'; it must be a number of bytes."),
        ([entry(-1)], b"", "input 'x' has the binary_data_size -1; it must be a number of bytes."),
        ([entry(16, data=[1, 2])], b"\0" * 16, "input 'x' has both data and binary_data_size."),
        ([entry(2, "BOOL")], b"\0\2", "input 'x' has a byte that is neither 0 nor 1, which is not BOOL."),
        ([entry(5, "BYTES", (1,))], b"\5\0\0\0a", "input 'x' ends in the middle of an element."),
        ([entry(3, "BYTES", (1,))], b"\0\0\0", "input 'x' ends in the middle of an element."),
        ([entry(4, "BYTES")], b"\0\0\0\0", "input 'x' has 1 elements, but its shape takes 2."),
    ],
)
def test_bytes_that_do_not_fit_are_refused(entries: list[Any], binary: bytes, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        read_all(entries, binary)
    assert (refused.value.status, refused.value.message) == (400, message)


def test_a_body_is_split_where_the_header_says() -> None:
    request = Request("POST", "/", {"inference-header-content-length": "2"}, b"{}xyz")
    assert split(request) == (b"{}", b"xyz")
