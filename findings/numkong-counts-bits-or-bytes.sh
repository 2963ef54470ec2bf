#!/bin/sh
# NumKong has three ways to the Hamming distances of two arrays: `hamming` of two rows, `cdist` of all rows, and the quicker
# `hammings_packed`. One would guess that they return the same numbers. Of arrays of bytes, the first two return how many bytes
# differ and the third how many bits do: 8 instead of 64 where all bits of 8 bytes differ. For bits, the first two need the
# type "uint1". `hammings_symmetric` refuses bytes unless it is given that type. Changing from one way to another, for speed,
# changes the unit silently; both are whole numbers, and both order neighbours plausibly.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numkong==7.8.6" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import numkong
import numpy as np

rng = np.random.default_rng(1)
a, b = rng.integers(0, 256, (5, 32), np.uint8), rng.integers(0, 256, (7, 32), np.uint8)
changed = a[:, np.newaxis] ^ b
by_bytes, by_bits = np.count_nonzero(changed, axis=2), np.unpackbits(changed, axis=2).sum(axis=2)


def rowwise(*kind):
    return np.array([[numkong.hamming(left, right, *kind) for right in b] for left in a])


found = {
    "hamming": rowwise(),
    "cdist": numkong.cdist(a, b, "hamming"),
    "hammings_packed": numkong.hammings_packed(a, numkong.hammings_pack(b)),
    "hamming of uint1": rowwise("uint1"),
    "cdist of uint1": numkong.cdist(a, b, "hamming", dtype="uint1"),
}
seen = []
for name, distances in found.items():
    distances = np.asarray(distances)
    unit = "bytes" if np.array_equal(distances, by_bytes) else "bits" if np.array_equal(distances, by_bits) else "neither"
    print(f"numkong 7.8.6, {name}: {int(distances[0, 0])}, so it counts {unit}")
    seen.append(unit)
if seen != ["bytes", "bytes", "bits", "bits", "bits"]:
    raise SystemExit("changed")
PYTHON
