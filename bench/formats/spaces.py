"""Colour spaces, as numbers and as ICC profiles made here: an independent way to the pixels that a person would see."""

import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

D50: Final = np.array([0.9642, 1.0, 0.8249])
BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D65: Final = (0.3127, 0.3290)
PRIMARIES: Final = {
    "sRGB": (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    "Display P3": (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    "Adobe RGB": (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06),
    "ProPhoto": (0.3457, 0.3585, 0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001),
    "BT.2020": (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    "swapped": (*D65, 0.15, 0.06, 0.30, 0.60, 0.64, 0.33),
}
GAMMAS: Final = {"Display P3": None, "Adobe RGB": 2.2, "ProPhoto": 1.8, "sRGB": None, "swapped": None, "BT.2020": None}


def to_light(encoded: Floats) -> Floats:
    """IEC 61966-2-1: linear light of sRGB's values, 0 to 1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def from_light(light: Floats) -> Floats:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def matrix(name: str, *, adapted: bool = True) -> Floats:
    """Return the matrix from linear RGB to XYZ, relative to D50 if `adapted`."""
    xy = np.array(PRIMARIES[name]).reshape(4, 2)
    xyz = np.column_stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(axis=1)) / xy[:, 1]])
    found = xyz[1:].T * np.linalg.solve(xyz[1:].T, xyz[0])
    if adapted:
        scale = np.diag((BRADFORD @ D50) / (BRADFORD @ xyz[0]))
        found = np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ found
    return found


def stored_in(rgb: npt.NDArray[np.uint8], name: str, curve: Callable[[Floats], Floats] | None = None) -> Floats:
    """Return the values, 0 to 1, that show an sRGB image in another space; all of sRGB must lie in it.

    Args:
        curve: from linear light to values; without one, the space's own.
    """
    light = to_light(rgb / 255.0) @ matrix("sRGB").T @ np.linalg.inv(matrix(name)).T
    gamma = GAMMAS[name]
    if curve is not None:
        return curve(np.clip(light, 0, 1))
    return from_light(light) if gamma is None else np.clip(light, 0, 1) ** (1 / gamma)


def pq(light: Floats, white: float = 203.0) -> Floats:
    """Rec. ITU-R BT.2100: the values of light in which 1 is SDR white."""
    y = (light * white / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)


def hlg(light: Floats) -> Floats:
    """Rec. ITU-R BT.2100: SDR white, 203 cd/m2, at 75 % of the signal; the system's gamma is taken back."""
    scene = light * 203 / 1000
    luminance = np.maximum(scene @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)
    scene = scene * (luminance ** (1 / 1.2 - 1))[..., None]
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    values: Floats = np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)
    return values


def profile(name: str) -> bytes:
    """Return an ICC profile (version 2) of an RGB space."""
    columns = matrix(name).T
    gamma = GAMMAS[name]
    curve = _table(to_light(np.linspace(0, 1, 1024))) if gamma is None else _gamma(gamma)
    tags = {b"rXYZ": _xyz(columns[0]), b"gXYZ": _xyz(columns[1]), b"bXYZ": _xyz(columns[2])}
    return _profile(b"RGB ", b"XYZ ", name, tags | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def gray_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", b"XYZ ", "gray", {b"kTRC": _gamma(gamma)})


def cmyk_profile() -> bytes:
    """Return a profile of inks that are not ideal, as a table (`ink_light` is its formula)."""
    steps = np.linspace(0, 1, 9)
    grid = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 4)
    xyz = ink_light(grid) @ matrix("sRGB").T / D50
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab = np.column_stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])])
    words = np.round(np.column_stack([lab[:, 0] * 652.8, (lab[:, 1:] + 128) * 256])).clip(0, 65535).astype(">u2")
    ramp = np.array([0, 65535], ">u2").tobytes()
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table = b"mft2\0\0\0\0" + bytes([4, 3, 9, 0]) + identity + struct.pack(">HH", 2, 2)
    return _profile(b"CMYK", b"Lab ", "inks", {b"A2B0": table + ramp * 4 + words.tobytes() + ramp * 3}, b"prtr")


def ink_light(cmyk: Floats) -> Floats:
    """Return the linear sRGB of shares of four inks, 0 to 1."""
    inks = np.array([[0.1, 0.6, 0.85], [0.8, 0.1, 0.45], [0.95, 0.85, 0.1], [0.05, 0.05, 0.05]])
    light: Floats = np.prod(1 - cmyk[:, :, None] * (1 - inks), axis=1)
    return light


def _xyz(values: Floats) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *np.round(values * 65536).astype(int))


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def _table(values: Floats) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">I", len(values)) + np.round(values * 65535).astype(">u2").tobytes()


def _profile(space: bytes, connection: bytes, name: str, tags: dict[bytes, bytes], kind: bytes = b"mntr") -> bytes:
    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * (12 + 67)
    tags = {b"desc": described, b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(D50)} | tags
    directory, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        directory += tag + struct.pack(">II", start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"none", 0x02400000, kind, space, connection)
    head = head + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    return head.ljust(68, b"\0") + _xyz(D50)[8:] + b"\0" * 48 + directory + body
