"""Quantiles and counts are those of NumPy, of which they need a fraction of the time."""

import numpy as np
import numpy.typing as npt
import pytest

from shared.vision.evidence.histograms import counted
from shared.vision.order_statistics import LARGE, mean_of_lowest, median, quantile, upper_median

Values = npt.NDArray[np.float32]


def values(kind: str, count: int) -> Values:
    rng = np.random.default_rng(count)
    made = {
        "levels": rng.normal(128, 60, count),
        "few levels": rng.integers(0, 5, count),
        "mostly none": np.where(rng.random(count) < 0.7, 0, rng.random(count)),
        "far outliers": np.abs(rng.standard_cauchy(count)),
        "in order": np.arange(count),
    }
    return made[kind].astype(np.float32)


KINDS = ["levels", "few levels", "mostly none", "far outliers", "in order"]
COUNTS = [1, 2, 3, 1000, LARGE, LARGE + 1, 5 * LARGE]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", COUNTS)
def test_quantiles_are_those_of_numpy(kind: str, count: int) -> None:
    given = values(kind, count)
    assert median(given) == float(np.median(given))
    assert upper_median(given) == np.sort(given)[count // 2]
    for share in (0.0, 0.2, 0.33, 0.5, 0.8, 0.9, 1.0):
        assert quantile(given, share) == float(np.quantile(given, share))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", COUNTS)
def test_the_mean_of_the_lowest_is_that_of_the_first_in_order(kind: str, count: int) -> None:
    given = values(kind, count)
    lowest = max(1, int(0.6 * count))
    expected = np.sort(given)[:lowest].mean(dtype=np.float64)
    assert mean_of_lowest(given, lowest) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("bins", [16, 32, 128])
def test_counts_are_those_of_numpy_and_levels_beyond_count_as_the_nearest(bins: int) -> None:
    edges = np.array([-30, -1, -1e-7, 0, 8, 15.99999, 16, 255.99998, 256, 256.1, 300], np.float32)
    given = np.concatenate([values("levels", 5000), edges])
    assert counted(given, bins).tolist() == np.histogram(np.clip(given, 0, 256), bins, (0, 256))[0].tolist()
