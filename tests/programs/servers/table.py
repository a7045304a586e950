"""Writes the Arrow file that is served: ``table.py PATH``."""

import sys

import pyarrow as pa

ROWS = 50_000
table = pa.table(
    {
        "id": pa.array(range(ROWS), pa.int64()),
        "price": pa.array((number / 2 for number in range(ROWS)), pa.float64()),
        "symbol": pa.array((f"symbol-{number % 97}" for number in range(ROWS)), pa.string()),
    }
)
with pa.OSFile(sys.argv[1], "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
    writer.write_table(table)
