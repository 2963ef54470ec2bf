"""A folder of photographs and altered copies of them, of which it is known what belongs together."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from bench.quality.alterations import ALTERATIONS, altered
from shared.vision.decode.decoders import decode_in_process

WITH_OTHERS: Final = {"half of a collage", "inset of a third"}
"""Alterations that put another image beside or around the photograph. Two copies may have the same one, and are then
rightly found for it."""
SEARCHED: Final = 60
"""Copies that are not stored, but searched for."""


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a folder.

    Attributes:
        groups: the group of each file, by its name: the number of the photograph.
        queries: copies in another alteration that are not in the folder, as JPEGs, each with its group.
    """

    folder: Path
    groups: dict[str, int]
    queries: list[tuple[bytes, int]]


def make(photographs: Sequence[Path], folder: Path, images: int, seed: int) -> Made:
    """Write each photograph and altered copies of it, `images` files in all.

    A photograph has from none to twice as many copies as there are on average, each in another of the alterations of
    the quality bench, without `WITH_OTHERS`.
    """
    rng = np.random.default_rng(seed)
    names = sorted(set(ALTERATIONS) - WITH_OTHERS)
    shares = rng.random(len(photographs))
    wanted = np.floor(shares / shares.sum() * (images - len(photographs))).astype(int).clip(0, len(names) - 1)
    chosen = [[str(name) for name in rng.permutation(names)[: count + 1]] for count in wanted]
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        work = pool.map(partial(_write, folder, seed), range(len(photographs)), photographs, chosen, chunksize=4)
        written = list(tqdm(work, desc="making copies", unit="photograph", total=len(photographs)))
    groups = {name: group for group, (names, _) in enumerate(written) for name in names}
    step = max(1, len(written) // SEARCHED)
    return Made(folder, groups, [(written[group][1], group) for group in range(0, len(written), step)])


def _write(folder: Path, seed: int, group: int, photograph: Path, chosen: Sequence[str]) -> tuple[list[str], bytes]:
    """Write a photograph and its copies; return their names, and one more copy."""
    data = photograph.read_bytes()
    rgb = decode_in_process(data).rgb
    *stored, query = chosen
    files = {f"{group:05}-original.jpg": data}
    files |= {f"{group:05}-{at:02}.jpg": altered(rgb, name, seed, group) for at, name in enumerate(stored)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return list(files), altered(rgb, query, seed, group)
