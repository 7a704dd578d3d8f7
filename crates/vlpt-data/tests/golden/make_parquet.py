"""Parquet files with Zstandard pages, as pyarrow writes them, for `tests/readers/parquet_files.rs`.

    pip install pyarrow && python make_parquet.py

Two files of the same 40 rows: data pages of version 1 and of version 2, in pages of a few rows, one
column with a dictionary. Image `i` is the 4 x 3 BMP of one colour (i, 255 - i, 7 i mod 256); its label
is `i mod 3`, of the classes a, b, c; row 5 has no label.
"""

import json
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).parent / "parquet"
ROWS = 40


def bmp(i):
    pixel = bytes([7 * i % 256, 255 - i, i])  # blue, green, red
    pixels = pixel * 4 * 3
    head = struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, 4, 3, 1, 24, 0, len(pixels), 0, 0, 0, 0) + pixels


images = [{"bytes": bmp(i), "path": f"{i}.bmp"} for i in range(ROWS)]
labels = [None if i == 5 else i % 3 for i in range(ROWS)]
features = {
    "image": {"_type": "Image"},
    "label": {"_type": "ClassLabel", "names": ["a", "b", "c"]},
}
table = pa.table(
    {
        "image": pa.array(images, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        "label": pa.array(labels, pa.int64()),
    }
).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
for version in ("1.0", "2.0"):
    pq.write_table(
        table,
        OUT / f"zstd-v{version[0]}.parquet",
        compression="zstd",
        data_page_version=version,
        use_dictionary=["label"],
        row_group_size=25,
        data_page_size=256,
        write_batch_size=4,
    )
