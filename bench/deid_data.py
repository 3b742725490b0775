"""A seeded table of people for the de-identification bench, at any size, with its generalisation hierarchies.

Eight quasi-identifiers as a census release would have them: sex, age, town, marital status, education, occupation,
ethnicity and household size; their lattice has 17,280 nodes. Education, marital status and occupation depend on age,
so classes are as uneven as real ones. Rows come in blocks with a seed each: a smaller table is the beginning of a
larger one, and memory does not grow with the size. It is no country: `smartgov population` makes that; this one must
not change when that does.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

SEED = 20_261_128
BLOCK = 1 << 18
SIZES = {
    "sex": 2,
    "age": 105,
    "town": 368,
    "marital": 4,
    "education": 8,
    "occupation": 45,
    "ethnicity": 6,
    "household": 8,
}
_COUNTY_OF = np.searchsorted(
    np.cumsum([29, 12, 13, 29, 37, 38, 13, 18, 26, 13, 20, 18, 33, 16, 13, 12, 7, 3, 2, 6, 6, 4]), range(368), "right"
)
_REGION_OF_COUNTY = (0, 0, 0, 1, 2, 2, 0, 0, 1, 1, 1, 1, 2, 3, 3, 0, 0, 1, 2, 4, 4, 4)
Codes = NDArray[np.int64]


def hierarchies() -> dict[str, list[list[str]]]:
    """For each attribute a row a value, from the value to `*`."""
    return {
        "sex": [[f"s{i}", "*"] for i in range(2)],
        "age": [
            [str(a), *(f"{a // w * w}-{min(a // w * w + w - 1, 104)}" for w in (5, 10, 20)), "*"] for a in range(105)
        ],
        "town": [
            [f"t{t:03d}", f"county{c:02d}", f"region{_REGION_OF_COUNTY[c]}", "*"] for t, c in enumerate(_COUNTY_OF)
        ],
        "marital": [[f"m{m}", "ever" if m else "never", "*"] for m in range(4)],
        "education": [[f"e{e}", f"stage{e // 2}", "higher" if e >= 4 else "basic", "*"] for e in range(8)],
        "occupation": [[f"o{o:02d}", f"group{o // 5}", f"sector{o // 15}", "*"] for o in range(45)],
        "ethnicity": [[f"n{n}", "indigenous" if n >= 4 else "other", "*"] for n in range(6)],
        "household": [[f"h{h}", ("one", "few", "many")[min((h + 1) // 2, 2)], "*"] for h in range(8)],
    }


def block(number: int, rows: int) -> dict[str, Codes]:
    """The codes of one block of rows."""
    random = np.random.default_rng([SEED, number])

    def draw() -> NDArray[np.float64]:
        return random.random(rows)

    age = np.minimum((draw() ** 1.15 * 78 + draw() * 20 + 6 * (draw() - 0.5)).clip(0).astype(np.int64), 104)
    adult, old = age >= 18, age >= 60
    education = np.where(adult, (8 * draw() ** (0.6 + 0.9 * old)).clip(0, 7), np.minimum(age / 6, 3)).astype(np.int64)
    marital = np.where(
        adult & (draw() < np.minimum((age - 16) / 30, 0.92)), 1 + (draw() ** (1.6 - 0.6 * old) * 3), 0
    ).astype(np.int64)
    working = adult & ~(old & (draw() < 0.7))
    occupation = np.where(working, (2 + education * 4.2 + draw() ** 3 * 13), draw() * 2).clip(0, 44).astype(np.int64)
    return {
        "sex": (draw() < 0.506).astype(np.int64),
        "age": age,
        "town": (draw() ** 2.6 * 368).astype(np.int64) * 131 % 368,
        "marital": marital,
        "education": education,
        "occupation": occupation,
        "ethnicity": (draw() ** 9 * 6).astype(np.int64),
        "household": np.minimum((draw() * draw() + 0.12 * marital) * 5, 7).astype(np.int64),
    }


def write(folder: Path, rows: int, *, as_csv: bool = False) -> Path:
    """`data.parquet` and `<attribute>.csv` in a folder; `data.csv` too for a program that reads nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    values = hierarchies()
    for name, table in values.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";", lineterminator="\n").writerows(table)
    labels = {name: pa.array([row[0] for row in table]) for name, table in values.items()}
    schema = pa.schema([(name, pa.dictionary(pa.int16(), pa.string())) for name in values])
    path, text = folder / "data.parquet", folder / "data.csv"
    options = pyarrow.csv.WriteOptions(delimiter=";", quoting_style="none", quoting_header="none")
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        lines = (
            pyarrow.csv.CSVWriter(text, pa.schema([(n, pa.string()) for n in values]), write_options=options)
            if as_csv
            else None
        )
        for number, first in enumerate(range(0, rows, BLOCK)):
            codes = block(number, BLOCK)
            count = min(BLOCK, rows - first)
            columns = [
                pa.DictionaryArray.from_arrays(pa.array(codes[n][:count], pa.int16()), labels[n]) for n in values
            ]
            out.write_table(pa.Table.from_arrays(columns, schema=schema))
            if lines is not None:
                lines.write_table(pa.table({n: c.cast(pa.string()) for n, c in zip(values, columns, strict=True)}))
        if lines is not None:
            lines.close()
    return path


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), as_csv=sys.argv[3:] == ["csv"])
