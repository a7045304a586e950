"""The model behind the demonstration's API: a card transaction in, the odds of fraud out.

Decides what an inference answers, as pandas-records JSON and as an Arrow file; the same numbers
either way. Knows nothing of HTTP.
"""

from __future__ import annotations

import array
import json
import random
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

COLUMNS: Final = 29
WEIGHTS: Final = tuple(((7 * column) % 11 - 5) / 10 for column in range(COLUMNS))
TENSOR: Final = pa.list_(pa.float32(), COLUMNS)


class UnfitError(ValueError):
    """The body is not what the model takes; the message says what it takes."""


def score(tensors: pa.FixedSizeListArray) -> pa.Array:
    """For each row the odds of fraud, 0 to 1: a logistic regression with fixed weights."""
    total: Any = pa.scalar(0.0)
    for column, weight in enumerate(WEIGHTS):
        total = pc.add(total, pc.multiply(pc.list_element(tensors, column), pa.scalar(weight)))
    return pc.divide(1.0, pc.add(1.0, pc.exp(pc.negate(total))))


def infer_records(body: bytes) -> bytes:
    """Answer pandas-records JSON with pandas-records JSON.

    Raises:
        UnfitError: the body is no list of records with a ``tensor`` of 29 numbers.
    """
    try:
        tensors = [row["tensor"] for row in json.loads(body)]
        odds = score(pa.array(tensors, TENSOR)).to_pylist()
    except (ValueError, LookupError, TypeError) as error:  # pyarrow's errors are among these
        raise UnfitError(f"expected a list of records, each with a tensor of {COLUMNS}") from error
    rows = [
        {"in": {"tensor": tensor}, "out": {"dense_1": [value]}, "anomaly": {"count": 0}}
        for tensor, value in zip(tensors, odds, strict=True)
    ]
    return json.dumps(rows).encode()


def infer_arrow(body: bytes) -> bytes:
    """Answer an Arrow file with an Arrow file.

    Raises:
        UnfitError: the body is no Arrow file with a column ``tensor`` of 29 floats.
    """
    try:
        with pa.ipc.open_file(body) as reader:
            table = reader.read_all()
        tensors = table["tensor"].combine_chunks().cast(TENSOR)
    except (ValueError, LookupError, TypeError, OSError, pa.ArrowException) as error:
        raise UnfitError(
            f"expected an Arrow file, its column tensor of {COLUMNS} floats"
        ) from error
    answer = {
        "in.tensor": tensors,
        "out.dense_1": score(tensors),
        "anomaly.count": pa.repeat(pa.scalar(0, pa.uint32()), len(tensors)),
    }
    return write_arrow(pa.table(answer))


def batch(rows: int) -> bytes:
    """An Arrow file of so many transactions, the same ones every time."""
    chance = random.Random(COLUMNS)  # noqa: S311 - made-up transactions, not a secret
    numbers = array.array("f", (chance.random() * 2 - 1 for _ in range(rows * COLUMNS)))
    flat = pa.Array.from_buffers(pa.float32(), len(numbers), [None, pa.py_buffer(numbers)])
    return write_arrow(pa.table({"tensor": pa.FixedSizeListArray.from_arrays(flat, COLUMNS)}))


def write_arrow(table: pa.Table) -> bytes:
    """The table in Arrow's file format."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())
