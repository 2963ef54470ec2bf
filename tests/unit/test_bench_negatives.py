"""The benchmark of different things of one kind draws what it says."""

from functools import partial

import numpy as np
import pytest

from bench.negatives import kinds
from bench.negatives.__main__ import markdown
from bench.negatives.canvas import Content, Style
from bench.negatives.judging import Judged
from shared.domain.matches import Verdict
from shared.vision.decode.decoders import decode_in_process

SEED = 5


def test_there_are_at_least_25_classes() -> None:
    assert len(kinds.DRAWN) >= 25


@pytest.mark.parametrize("kind", kinds.DRAWN)
def test_two_of_one_kind_differ_and_are_drawn_the_same_again(kind: str) -> None:
    pair = kinds.different(kind, SEED, 0)
    assert pair == kinds.different(kind, SEED, 0)
    style = [SEED, 0, *kind.encode()]
    a, b = (kinds.DRAWN[kind](Style(style), Content([*style, side])) for side in (1, 2))
    assert a.shape == b.shape
    assert (np.abs(a.astype(int) - b).max(axis=2) > 30).mean() > 0.0004


@pytest.mark.parametrize("kind", kinds.NUMBERED)
def test_one_number_changed_leaves_the_rest(kind: str) -> None:
    style = [SEED, 1, *kind.encode()]
    first = Content([*style, 1])
    a = kinds.DRAWN[kind](Style(style), first)
    b = kinds.DRAWN[kind](Style(style), Content([*style, 1], [first.numbers[0]]))
    differing = (a != b).any(axis=2)
    assert 0 < differing.mean() < 0.1


@pytest.mark.parametrize("kind", kinds.BURSTS)
def test_exposures_of_a_burst_share_most(kind: str) -> None:
    pair = kinds.burst(kind, SEED, 2, None)
    a, b = (decode_in_process(data).rgb.astype(int) for data in (pair.a, pair.b))
    differing = (np.abs(a - b).max(axis=2) > 60).mean()
    assert 0 < differing < 0.5


def test_pairs_are_drawn_when_called_for() -> None:
    drawn = list(kinds.made(1, SEED, None))
    groups = {one.func.__name__ for one in drawn if isinstance(one, partial)}
    assert {"different", "burst", "one_number", "copied_photograph", "copied_drawing", "scan_again"} <= groups


def test_the_table_counts_verdicts_by_kind() -> None:
    found = [
        Judged("invoice", "different", verdict, 0.5, pdq, phash=True)
        for verdict, pdq in ((Verdict.NEAR_DUPLICATE, True), (Verdict.SIMILAR, False))
    ]
    assert "| invoice | 2 | 0.50 | 0.00 | 0.50 | 0.00 | 0.50 | 1.00 |" in markdown(found, {})
