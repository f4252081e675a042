from __future__ import annotations

import time
from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts, numbered_columns
from lastmile_sls.inspection.sample import MAX_ROWS, Sample, add_sample, read_sample, rows_of

NAMED = ModelFacts("sklearn", inputs=(ColumnFacts("age", "FP64"), ColumnFacts("plan", "FP64")))
NUMBERED = ModelFacts("sklearn", inputs=numbered_columns(2), named=False)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "s.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def sample(**datatypes: str) -> Sample:
    columns = tuple(ColumnFacts(name, datatype) for name, datatype in datatypes.items())
    return Sample("s.csv", columns, tuple([] for _ in columns))


def test_types_ranges_and_categories(tmp_path: Path) -> None:
    text = (
        "\ufeffage,share,member,plan,postal,gap,empty\n"
        '1, .5,true,"gold, or so",00501,1,\n'
        "-3,1e2,False,free,10115,,\n"
        "\n"
        "22,2,TRUE,free,99999,7,NA\n"
    )
    assert read_sample(written(tmp_path, text)).columns == (
        ColumnFacts("age", "INT64", minimum=-3, maximum=22),
        ColumnFacts("share", "FP64", minimum=0.5, maximum=100),
        ColumnFacts("member", "BOOL"),
        ColumnFacts("plan", "BYTES", categories=("free", "gold, or so")),
        ColumnFacts("postal", "BYTES", categories=("00501", "10115", "99999")),
        ColumnFacts("gap", "FP64", minimum=1, maximum=7),
        ColumnFacts("empty", "FP64"),
    )


def test_many_strings_are_no_categories_and_many_rows_are_cut(tmp_path: Path) -> None:
    rows = "".join(f"n{index}\n" for index in range(MAX_ROWS))
    (column,) = read_sample(written(tmp_path, f"name\n{rows}ragged,row\n")).columns
    assert column == ColumnFacts("name", "BYTES")


BAD = {
    b"": "s.csv is empty.\nGive it a header and rows as the model takes them.",
    b"a,b\n": "s.csv has a header and no rows.\nAdd rows as the model takes them.",
    b"1,2.5\n3,4\n": "s.csv:1 has numbers where the header belongs.\nName the columns in line 1.",
    b"a,b\n1,2\n\n3\n": "s.csv:4 has 1 cells, but the header has 2.\nMend the line.",
    b"a,a\n1,2\n": "s.csv:1 has the name 'a' twice.\nGive each column its own.",
    b",a\n0,1\n": "s.csv:1 has no name for column 1.\nName every column (an index has none).",
    b"a;b\n1;2\n": "s.csv:1 has one column, 'a;b'.\nSeparate columns by commas.",
    b"a,b\n1,\xff\n": "s.csv:2 is not UTF-8 text.\nSave it as CSV in UTF-8.",
    b'a\n"b" c\n': "s.csv:2 is not CSV: ',' expected after '\"'.\nMend the line.",
}


@pytest.mark.parametrize(("content", "says"), BAD.items())
def test_bad_files_are_refused_with_their_line(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(LastmileError) as caught:
        read_sample(written(tmp_path, content))
    assert str(caught.value) == says


def test_very_many_columns_are_compared_in_a_moment(tmp_path: Path) -> None:
    path, names = tmp_path / "s.csv", [f"c{index}" for index in range(20_000)]
    path.write_text(f"{','.join(names)}\n{','.join('1' * 20_000)}\n")
    facts = ModelFacts("sklearn", inputs=tuple(ColumnFacts(name, "FP64") for name in reversed(names)))
    begun = time.process_time()
    sample = read_sample(path)
    merged = add_sample(facts, sample)
    assert rows_of(merged, sample, ["INT64"] * 20_000) == [[1] * 20_000]
    assert time.process_time() - begun < 5


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        read_sample(tmp_path / "none.csv")
    assert str(caught.value) == (
        f"{tmp_path / 'none.csv'} cannot be read: No such file or directory.\nName a CSV file."
    )


def test_ranges_are_added_and_the_label_is_left_out_with_a_note() -> None:
    columns = (
        ColumnFacts("target", "INT64"),
        ColumnFacts("plan", "BYTES", categories=("a", "b")),
        ColumnFacts("age", "INT64", minimum=1, maximum=9),
    )
    assert add_sample(NAMED, Sample("s.csv", columns, ([], [], []))) == ModelFacts(
        "sklearn",
        requirements=("pandas",),
        inputs=(
            ColumnFacts("age", "FP64", minimum=1, maximum=9),
            ColumnFacts("plan", "BYTES", categories=("a", "b")),
        ),
        frame=True,
        notes=("s.csv has the label target; it was left out.",),
    )


def test_both_differences_are_listed() -> None:
    with pytest.raises(LastmileError) as caught:
        add_sample(NAMED, sample(age="FP64", plam="FP64", more="FP64"))
    assert caught.value.message == (
        "the columns of s.csv differ from the model's: it lacks plan and has plam, more, which the model does not take."
    )
    assert caught.value.hint == (
        "Use the names that the model was trained with; one column more, the label, is allowed."
    )


def test_a_model_without_names_takes_the_samples() -> None:
    facts = add_sample(NUMBERED, sample(a="FP64", b="INT64"))
    assert [column.name for column in facts.inputs] == ["a", "b"]
    assert facts.named
    for columns in ({"a": "FP64", "b": "FP64", "last": "FP64"}, {"y": "FP64", "a": "FP64", "b": "FP64"}):
        assert [column.name for column in add_sample(NUMBERED, sample(**columns)).inputs] == ["a", "b"]
    with pytest.raises(LastmileError) as caught:
        add_sample(NUMBERED, sample(a="FP64"))
    assert caught.value.message == "s.csv has 1 columns, but the model takes 2."


def test_text_where_numbers_belong() -> None:
    facts = ModelFacts("xgboost", inputs=(ColumnFacts("age", "FP32"),))
    with pytest.raises(LastmileError) as caught:
        add_sample(facts, sample(age="BYTES"))
    assert caught.value.message == "the sample's column age holds text, but the model takes numbers."


def test_frameworks_without_columns() -> None:
    columns = sample(a="FP64")
    assert add_sample(ModelFacts("python"), columns).inputs == columns.columns
    assert add_sample(ModelFacts("onnx"), columns).notes == (
        "An ONNX model takes tensors, so the sample's ranges are not in its contract.",
    )
    assert add_sample(ModelFacts("sklearn"), columns).notes == (
        "The model does not say what it takes, so the sample was not compared.",
    )


def test_rows_come_in_the_models_order_without_the_label_and_without_what_is_no_number(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, "target,plan,age\n1,a,4\n0,b,\n1,c,x\n")
    rows = rows_of(NAMED, read_sample(path), ["FP64", "BYTES"])
    assert rows[0] == [4.0, "a"]
    assert (str(rows[1][0]), rows[1][1]) == ("nan", "b")
    assert len(rows) == 2


def test_the_rows_of_a_sample_that_does_not_match_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LastmileError, match=r"^the columns of s\.csv differ from the model's: it lacks age"):
        rows_of(NAMED, read_sample(written(tmp_path, "plan\na\n")), ["FP64", "BYTES"])
