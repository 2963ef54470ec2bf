"""A photograph with darkened edges is a copy; one in which something else has changed as well is not."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from skimage.data import data_dir

from bench.quality.alterations import encoded
from shared.vision.decode.decoders import decode_in_process
from shared.vision.evidence.fine import encode_fine
from shared.vision.evidence.judgement import Relation, judge
from shared.vision.pixels import Pixels


@cache
def photograph(name: str) -> Pixels:
    return decode_in_process((Path(data_dir) / name).read_bytes()).rgb


def saved(rgb: Pixels) -> bytes:
    return encode_fine(decode_in_process(encoded(rgb, 85)).rgb)


def shaded(rgb: Pixels, gamma: tuple[float, float, float] = (0.9, 1, 1.15)) -> Pixels:
    """Return a photograph under a curve of each channel, with corners half as bright."""
    height, width = rgb.shape[:2]
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    edge = 1 - 0.5 * ((across**2 + down**2) / 2) ** 1.2
    dark: Pixels = (255 * (0.05 + 0.92 * rgb / 255) ** gamma * edge[..., np.newaxis]).astype(np.uint8)
    return dark


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png", "rocket.jpg"])
def test_a_photograph_with_dark_edges_differs_nowhere(name: str) -> None:
    shown = photograph(name)
    found = judge(saved(shown), saved(shaded(shown)))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])


def test_what_else_has_changed_under_the_shading_is_a_difference() -> None:
    shown = photograph("coffee.png")
    changed = shown.copy()
    changed[150:230, 330:430] = shown[240:320, 60:160]
    assert judge(saved(shown), saved(shaded(changed))).relation is Relation.VARIANT
