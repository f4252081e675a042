"""The traffic that is asked for, in options and files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.traffic_file import Shape, number, read_shapes, shapes_of


def write(folder: Path, text: str) -> Path:
    path = folder / "traffic.yaml"
    path.write_text(text)
    return path


def test_a_file_is_one_shape_or_several_by_name(tmp_path: Path) -> None:
    one = read_shapes(write(tmp_path, "requests: 1_000_000\nduration: 80\n"))
    assert one == {"": Shape(requests=Decimal(1_000_000), duration={"*": Decimal(80)})}
    several = (
        "idle: {requests: 0}\nsteady:\n  requests: 2e6\n  duration: {v1: 80, v2: 35.5}\n  cold_share: 0.02\n"
    )
    assert read_shapes(write(tmp_path, several)) == {
        "idle": Shape(requests=Decimal(0)),
        "steady": Shape(
            requests=Decimal(2_000_000),
            duration={"v1": Decimal(80), "v2": Decimal("35.5")},
            cold_share=Decimal("0.02"),
        ),
    }


def test_options_go_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "idle: {requests: 1, rows: 3}\nbusy: {requests: 9, duration: {v1: 5}}\n")
    asked = Shape(rows=Decimal(7), duration={"v2": Decimal(6)})
    assert shapes_of(asked, path) == {
        "idle": Shape(requests=Decimal(1), rows=Decimal(7), duration={"v2": Decimal(6)}),
        "busy": Shape(requests=Decimal(9), rows=Decimal(7), duration={"v1": Decimal(5), "v2": Decimal(6)}),
    }
    with pytest.raises(LastmileError) as caught:
        shapes_of(asked, None)
    assert caught.value.message == "the traffic does not say how many requests a month has."
    assert caught.value.hint == "Add it: --requests 1000000"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("requests: many", "line 1: requests is 'many', but must be a number of at least 0."),
        ("a:\n  requests: -1", "line 2: a.requests is -1, but must be a number of at least 0."),
        ("requests: .nan", "line 1: requests is nan, but must be a number of at least 0."),
        ("requests: true", "line 1: requests is True, but must be a number of at least 0."),
        ("requests: 1\nrate: 5", "line 2: rate is not a field."),
        ("fast: 5", "line 1: 'fast' is neither a field nor a shape with fields."),
        (
            "requests: 1\ncold_share: 5",
            "line 2: cold_share is 5, but must be a share from 0 to 1, such as 0.05",
        ),
        ("requests: 1\nduration: {v1: 0}", "line 2: duration is 0, but must be a number above 0."),
        ("{}", "is empty."),
        ("- requests", "must hold fields and values"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(LastmileError) as caught:
        read_shapes(write(tmp_path, text))
    assert told in caught.value.message


def test_an_option_is_called_as_it_is_written() -> None:
    with pytest.raises(LastmileError, match="--later-share is '1,5', but must be a share from 0 to 1"):
        number("later_share", "1,5", "--later-share")
    for word in ("inf", "1e99", "", "0x10"):
        with pytest.raises(LastmileError, match="--requests is"):
            number("requests", word, "--requests")
