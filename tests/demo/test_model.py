"""The model: the same numbers as JSON and as Arrow, and an answer to nonsense."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from proxy.demo import model
from proxy.demo.legacy import RECORD


def read(file: bytes) -> pa.Table:
    with pa.ipc.open_file(file) as reader:
        return reader.read_all()


def test_the_record_of_the_sample_has_29_columns():
    assert len(RECORD) == model.COLUMNS == 29


def test_records_come_back_with_what_was_sent_and_odds_between_0_and_1():
    (row,) = json.loads(model.infer_records(json.dumps([{"tensor": RECORD}]).encode()))
    assert row["in"]["tensor"] == list(RECORD)
    assert 0 < row["out"]["dense_1"][0] < 1
    assert row["anomaly"] == {"count": 0}


def test_an_arrow_file_comes_back_with_one_answer_a_row():
    answer = read(model.infer_arrow(model.batch(500)))
    assert answer.num_rows == 500
    assert answer.column_names == ["in.tensor", "out.dense_1", "anomaly.count"]
    assert answer["in.tensor"].combine_chunks() == read(model.batch(500))["tensor"].combine_chunks()
    assert len(set(answer["out.dense_1"].to_pylist())) > 400


def test_json_and_arrow_get_the_same_odds():
    table = pa.table({"tensor": pa.array([RECORD], model.TENSOR)})
    arrow = read(model.infer_arrow(model.write_arrow(table)))["out.dense_1"].to_pylist()
    rows = json.loads(model.infer_records(json.dumps([{"tensor": RECORD}]).encode()))
    assert arrow == rows[0]["out"]["dense_1"]


def test_a_list_column_of_doubles_will_do_as_well():
    table = pa.table({"tensor": pa.array([RECORD], pa.list_(pa.float64()))})
    assert read(model.infer_arrow(model.write_arrow(table))).num_rows == 1


def test_the_batch_is_the_same_every_time():
    assert model.batch(10) == model.batch(10)


@pytest.mark.parametrize(
    "body", [b"", b"{}1", b"3", b"[1]", b"[{}]", b'[{"tensor": [1, 2]}]', b'[{"tensor": ["a"]}]']
)
def test_json_that_does_not_fit_is_told_what_would(body):
    with pytest.raises(model.UnfitError, match="tensor of 29"):
        model.infer_records(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ARROW1\0\0 but no more",
        model.write_arrow(pa.table({"other": [1]})),
        model.write_arrow(pa.table({"tensor": ["text"]})),
        model.write_arrow(pa.table({"tensor": pa.array([[1.0]], pa.list_(pa.float32()))})),
    ],
)
def test_arrow_that_does_not_fit_is_told_what_would(body):
    with pytest.raises(model.UnfitError, match="29 floats"):
        model.infer_arrow(body)
