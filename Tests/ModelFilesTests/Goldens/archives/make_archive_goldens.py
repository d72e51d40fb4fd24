"""Makes the goldens of NumPy archives: .npz files as np.savez and np.savez_compressed write them.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install numpy==2.4.6
    /tmp/venv/bin/python make_archive_goldens.py

Writes three archives of the same arrays beside this file (the largest one compressed only), one of
them with the 64-bit sizes that Python uses for large files, and arrays.json:
{"name": {"type", "shape", "hex"}}, where hex are the elements' bytes, row major and little endian.
"""

import json
import pathlib
import zipfile

import numpy as np

HERE = pathlib.Path(__file__).parent

random = np.random.default_rng(1)
ARRAYS = {
    "Transformer-0-FeedForward/dense_4/kernel:0": random.standard_normal((3, 5)).astype("<f4"),
    "half": random.standard_normal((2, 3)).astype("<f2"),
    "double": random.standard_normal(4).astype("<f8"),
    "big": random.standard_normal((2, 2)).astype(">f4"),
    "fortran": np.asfortranarray(random.standard_normal((3, 2)).astype("<f4")),
    "fortran-big": np.asfortranarray(random.standard_normal((2, 3)).astype(">f2")),
    "scalar": np.array(7, dtype="<i8"),
    "empty": np.zeros((0, 4), dtype="<f4"),
    "zeros": np.zeros((300, 70), dtype="<f4"),
    "flags": np.array([True, False]),
}

np.savez(HERE / "stored.npz", **{name: a for name, a in ARRAYS.items() if name != "zeros"})
np.savez_compressed(HERE / "compressed.npz", **ARRAYS)
zipfile.ZIP64_LIMIT = 10
np.savez_compressed(HERE / "wide.npz", **ARRAYS)


def little(array):
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes().hex()


described = {
    name: {"type": a.dtype.str[1:], "shape": list(a.shape), "hex": "" if name == "zeros" else little(a)}
    for name, a in ARRAYS.items()
}
(HERE / "arrays.json").write_text(json.dumps(described, indent=1) + "\n")
