"""The benchmark runs on synthetic images; the figures measured here mean nothing."""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bench.speed import features, ingest, precision, threads, throughput
from bench.speed.__main__ import main
from bench.speed.images import chosen, synthetic_image
from bench.speed.report import Floor, Part, floors
from bench.speed.timing import side_by_side
from shared.settings import IngestSettings
from shared.vision.decode.decoders import decode_in_process
from shared.vision.signature import extract


def test_alternatives_alternate_and_have_separate_medians() -> None:
    shown: list[tuple[str, int]] = []

    def fast(number: int) -> None:
        shown.append(("fast", number))

    def slow(number: int) -> None:
        shown.append(("slow", number))
        time.sleep(0.02)

    taken = side_by_side({"fast": fast, "slow": slow}, [1, 2], rounds=3)
    assert taken["slow"] >= 20 > 10 * taken["fast"]
    turns = [{shown[at], shown[at + 1]} for at in range(2, len(shown), 2)]
    assert turns == [{("fast", number), ("slow", number)} for number in (1, 2, 1)]


def test_quarters_of_some_photographs_stand_in_for_missing_ones(tmp_path: Path) -> None:
    for seed in range(3):
        (tmp_path / f"{seed}.jpg").write_bytes(synthetic_image(seed, 128, 96))
    description, images = chosen(tmp_path, 5)
    assert description.endswith("of which 1 are cut into quarters of that size")
    assert len(set(images)) == 5
    assert images[:2] == [synthetic_image(seed, 128, 96) for seed in (1, 2)]
    assert chosen(tmp_path, 2)[1] == [synthetic_image(seed, 128, 96) for seed in (0, 1)]


def test_only_the_first_of_consecutive_runs_is_discarded() -> None:
    calls = iter(range(1000))

    def slow_when_it_begins(_: int) -> None:
        if next(calls) % 3 == 1:
            time.sleep(0.02)

    assert side_by_side({"only": slow_when_it_begins}, [1], rounds=3, in_a_row=3)["only"] < 10


def test_synthetic_images_have_as_many_keypoints_as_photographs() -> None:
    kind, images = chosen(None, 2)
    assert kind.startswith("made")
    assert len(set(images)) == 2
    assert len(extract(decode_in_process(images[0]).rgb).keypoints) > 400


@pytest.mark.parametrize(
    "measure",
    [partial(features.measure, others=False), ingest.measure, threads.measure],
    ids=["features", "ingest", "threads"],
)
def test_each_part_that_needs_no_extra_package_reports_figures(model_dir: Path, measure: Callable[..., Part]) -> None:
    part = measure(model_dir, [synthetic_image(0), synthetic_image(1)], 1)
    assert all(len(row) == len(part.columns) for row in part.rows)
    assert all(value > 0 for value in part.figures.values())


def test_cpu_affinity_is_restored_after_measuring_threads(model_dir: Path) -> None:
    before = os.sched_getaffinity(0)
    threads.measure(model_dir, [synthetic_image(0)], 1)
    assert os.sched_getaffinity(0) == before


def test_int8_is_compared_in_speed_and_search_quality(model_dir: Path, int8_dir: Path) -> None:
    part = precision.measure(model_dir, [synthetic_image(0), synthetic_image(1)], 1, ["JPEG 5", "turned by 90 degrees"])
    assert [row[0] for row in part.rows] == [
        json.loads((each / "model.json").read_text())["id"] for each in (model_dir, int8_dir)
    ]
    assert 0.99 < part.figures["int8_least_cosine"] < 1
    assert [row[-1] for row in part.rows] == ["1.000", "1.000"]


def test_the_page_and_the_figures_are_written(
    tmp_path: Path, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--parts", "rerank", "--rounds", "1", "--pictures", str(tmp_path / "none"), "--note", "A test."]
    assert main([*arguments, "--results", str(tmp_path), "--model-dir", str(model_dir)]) == 0
    page = (tmp_path / "speed.md").read_text()
    assert "A test." in page
    assert "rerank of 50 from signatures | at most 60 ms" in page
    figures = json.loads((tmp_path / "speed.json").read_text())["figures"]
    assert figures["rerank_50_plain_ms"] > figures["rerank_50_ms"] > 0
    assert "## Reranking 50 candidates" in capsys.readouterr().out


def test_a_missed_floor_is_marked() -> None:
    page = floors([Part("p", ("a",), [], [Floor("speed", "at least 2", "1.9", False), Floor("x", "y", "z", True)])])
    assert "| speed | at least 2 | 1.9 | **no** |" in page
    assert page.count("**no**") == 1


def test_the_throughput_has_all_settings_of_the_function() -> None:
    IngestSettings.from_environ(throughput.SETTINGS | {"PICTRACE_MODEL_DIR": "model"})
