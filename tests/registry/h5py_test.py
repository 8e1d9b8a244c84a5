#!/usr/bin/python3
"""A snapshot read by somebody else's program: h5py with the LZ4 filter of Debian's hdf5-filter-plugin.

    h5py_test.py TOOL FOLDER

TOOL is registry_snapshot_tool. A CSV file of known values is imported; every dataset and attribute is compared. Then the same
content is written by h5py through the plugin, opened by maille, written again and compared: both directions of the filter agree.
"""
import os
import subprocess
import sys

try:
    import h5py
    import numpy as np
except ImportError as error:
    sys.exit(f"{error}; expected the Debian package python3-h5py (apt-get install python3-h5py)")

LZ4 = 32004
BLOCK = 65536
if not h5py.h5z.filter_avail(LZ4):
    sys.exit("expected the LZ4 filter of HDF5 (apt-get install hdf5-filter-plugin)")

tool, folder = sys.argv[1:]
LEVELS = ["<=20", "20-50", ">50"]
DICTIONARY = """dictionary: h5py
version: 4
key: pid
variables:
  - { name: age, type: integer, min: 0, max: 120 }
  - { name: score, type: integer, min: -1000, max: 30000 }
  - { name: big, type: integer, min: 0, max: 2000000000 }
  - { name: huge, type: integer, min: 0, max: 9000000000 }
  - { name: pgr, type: real, min: -10, max: 6000, resolution: 0.001 }
  - { name: size, type: category, levels: ["<=20", "20-50", ">50"] }
  - { name: death, type: boolean }
  - { name: born, type: date, min: 1900-01-01, max: 2030-12-31 }
"""
TYPES = {"age": "<i1", "score": "<i2", "big": "<i4", "huge": "<i8", "pgr": "<i4", "size": "<i1", "death": "<i1", "born": "<i2"}


def check(condition, what):
    if not condition:
        sys.exit(f"h5py_test.py: {what}")


def make(rows, seed):
    """Columns and masks; nothing is missing in age."""
    random = np.random.default_rng(seed)
    columns = {
        "age": random.integers(0, 121, rows),
        "score": random.integers(-1000, 30001, rows),
        "big": random.integers(0, 2000000001, rows),
        "huge": random.integers(0, 9000000001, rows),
        "pgr": random.integers(-10000, 6000001, rows),  # steps of a thousandth
        "size": random.integers(0, 3, rows),
        "death": random.integers(0, 2, rows),
        "born": random.integers(-25000, 20001, rows),
    }
    missing = {name: random.random(rows) < 0.05 if name != "age" else np.zeros(rows, bool) for name in columns}
    return columns, missing


def write_csv(path, columns, missing, patients):
    texts = {}
    for name, values in columns.items():
        if name == "size":
            text = np.array(LEVELS, dtype=object)[values]
        elif name == "born":
            text = (np.datetime64("1970-01-01") + values).astype(str).astype(object)
        elif name == "pgr":
            text = np.array([repr(float(v) / 1000) for v in values], dtype=object)
        else:
            text = values.astype(str).astype(object)
        texts[name] = np.where(missing[name], "", text)
    with open(path, "w") as file:
        file.write("pid," + ",".join(columns) + "\n")
        for row, cells in enumerate(zip(*texts.values())):
            file.write(f"p{patients[row]}," + ",".join(cells) + "\n")


def compare(path, columns, missing, patients):
    rows = len(patients)
    with h5py.File(path, "r") as file:
        attributes = file.attrs
        expected = {"format": b"maille-snapshot", "format_version": 4, "number": 3, "dictionary": b"h5py",
                    "dictionary_version": 4, "source_hash": b"00ff", "salt": b"5" * 64, "rows": rows, "patients": patients[-1] + 1, "public": 1,
                    "created": b"1970-01-01T00:00:00.000Z", "exclusions": "née d'objections".encode()}
        check(set(attributes) == set(expected), f"expected the attributes {sorted(expected)}, found {sorted(attributes)}")
        for name, value in expected.items():
            check(attributes[name] == value, f"expected {name} to be {value!r}, found {attributes[name]!r}")
        check(file["dictionary"][()] == DICTIONARY.encode(), "expected the dictionary's text, found another")
        check(list(file["patient"]) == sorted(columns), "expected the variables of the dictionary in /patient")
        for name, values in columns.items():
            dataset = file["patient"][name]
            check(dataset.dtype == np.dtype(TYPES[name]), f"expected {TYPES[name]} for {name}, found {dataset.dtype}")
            check(dataset.shuffle and str(LZ4) in dataset._filters, f"expected shuffle and LZ4 for {name}")
            check(dataset.chunks == (min(rows, BLOCK),), f"{name} has chunks of {dataset.chunks}")
            present = ~missing[name]
            check(np.array_equal(dataset[()][present], values[present].astype(TYPES[name])), f"{name} differs")
            check((name in file["missing"]) == missing[name].any(), f"a mask of {name} where there is none, or none")
            if missing[name].any():
                bits = np.unpackbits(file["missing"][name][()], bitorder="little")
                check(np.array_equal(bits[:rows], missing[name]), f"the mask of {name} differs")
        check(np.array_equal(file["patient_index"][()], patients), "/patient_index differs")
        records = np.arange(1, rows + 1, dtype=np.uint64)
        first = records[np.searchsorted(patients, patients)]
        check(np.array_equal(file["row_id"][()], first << np.uint64(32) | records), "/row_id differs")


def rewrite(path, out):
    """The same content through the plugin's encoder."""
    with h5py.File(path, "r") as file, h5py.File(out, "w", libver=("v110", "v110")) as copy:
        copy.attrs.update(file.attrs)
        copy.create_dataset("dictionary", data=np.bytes_(file["dictionary"][()]))

        def visit(name, item):
            if isinstance(item, h5py.Group):
                copy.create_group(name)
            elif name != "dictionary":
                copy.create_dataset(name, data=item[()], chunks=item.chunks, shuffle=True, compression=LZ4)

        file.visititems(visit)


def run(*arguments):
    done = subprocess.run([tool, *arguments], stdout=subprocess.DEVNULL)
    check(done.returncode == 0, f"{tool} {' '.join(arguments)} ended with status {done.returncode}")


def path_of(name):
    path = os.path.join(folder, name)
    if os.path.exists(path):
        os.remove(path)
    return path


dictionary, csv = path_of("dictionary.yaml"), path_of("rows.csv")
with open(dictionary, "w") as file:
    file.write(DICTIONARY)
for rows in (1, 7, 497, BLOCK, 2 * BLOCK + 77):
    written, by_h5py, again = path_of("written.h5"), path_of("by-h5py.h5"), path_of("again.h5")
    columns, missing = make(rows, rows)
    patients = np.arange(rows) // 3
    write_csv(csv, columns, missing, patients)
    run("write", dictionary, csv, written)
    compare(written, columns, missing, patients)
    rewrite(written, by_h5py)
    run("copy", by_h5py, again)
    compare(again, columns, missing, patients)
for name in ("dictionary.yaml", "rows.csv", "written.h5", "by-h5py.h5", "again.h5"):
    path_of(name)
