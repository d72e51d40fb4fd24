"""Makes the NumPy goldens: arrays of every type that is read, as np.save writes them.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install numpy==2.4.6
    /tmp/venv/bin/python make_numpy_goldens.py

Writes .npy files beside this file, and cases.jsonl: one {"file", "type", "shape", "bits"} a line,
where bits are the elements as float32 (NumPy's own conversion), row major, as unsigned integers.
A "same" of true says that the file is what a writer of float32 must make, byte for byte.
"""

import json
import pathlib

import numpy as np
from numpy.lib import format as npy

HERE = pathlib.Path(__file__).parent
CASES = []


def save(name, array, version=None, same=False):
    path = HERE / f"{name}.npy"
    if version is None:
        np.save(path, array, allow_pickle=False)
    else:
        with open(path, "wb") as file:
            npy.write_array(file, array, version=version, allow_pickle=False)
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(array).astype(np.float32).reshape(array.shape)
    CASES.append({
        "file": path.name, "type": array.dtype.str, "shape": list(array.shape),
        "bits": [int(b) for b in floats.reshape(-1).view(np.uint32)], "same": same})


def integers(type):
    info = np.iinfo(type)
    return np.array([[0, 1, 2], [info.min, info.max, info.max // 3]], dtype=type)


def reals(type):
    info = np.finfo(type)
    return np.array([[0.0, -0.0, 1 / 3], [info.max, -info.tiny, info.smallest_subnormal],
                     [np.inf, -np.inf, np.nan]], dtype=type)


for order in "<>":
    mark = "" if order == "<" else "-big"
    for kind in ("i2", "u2", "i4", "u4", "i8", "u8"):
        save(kind + mark, integers(order + kind))
    for kind in ("f2", "f4", "f8"):
        save(kind + mark, reals(order + kind), same=(order + kind == "<f4"))
for kind in ("i1", "u1"):
    save(kind, integers(kind))
save("b1", np.array([[True, False, True], [False, False, True]]))

# Halfway between two floats, and just above: rounded to even, and up.
save("i8-rounding", np.array([2**24 + 1, 2**24 + 3, 2**54 + 2**30, 2**54 + 2**30 + 1], dtype="<i8"))
save("f8-rounding", np.array([1 + 2**-24, 1 + 3 * 2**-24, 1 + 2**-24 + 2**-50, 1e300], dtype="<f8"))

cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
save("fortran", np.asfortranarray(cube))
save("fortran-i2-big", np.asfortranarray(cube.astype(">i2")))
save("version-2", cube[0], version=(2, 0))
save("version-3", cube[0], version=(3, 0))
assert (HERE / "version-3.npy").read_bytes()[6] == 3

save("cube", cube, same=True)
save("scalar", np.float32(2.5).reshape(()), same=True)
save("one", np.array([7], dtype="<f4"), same=True)
save("long", np.arange(1000, dtype="<f4")[::50].copy(), same=True)
save("empty", np.zeros((0,), dtype="<f4"), same=True)
save("empty-rows", np.zeros((3, 0, 5), dtype="<f4"), same=True)


def header_length(shape):
    text = repr({"descr": "<f4", "fortran_order": False, "shape": shape})[:-1] + ", }"
    return 10 + len(text) + 21 - len(repr(shape[0])) + 1


# A header that ends on the boundary by itself, one byte before it and one after it.
for residue in (0, 1, 63):
    shape = next(s for dims in range(2, 64) for digits in range(1, 8)
                 if header_length(s := (0, 10**digits) + (1,) * dims) % 64 == residue)
    save(f"boundary-{residue}", np.zeros(shape, dtype="<f4"), same=True)

with open(HERE / "cases.jsonl", "w") as file:
    for case in CASES:
        file.write(json.dumps(case) + "\n")
