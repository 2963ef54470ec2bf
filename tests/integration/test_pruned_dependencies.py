"""The functions run with only the files that their image ships, without the paths in `functions/prune.txt`."""

import json
from contextlib import closing
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bench.speed import runtime_api
from bench.speed.events import Events, http_event
from bench.speed.images import synthetic_image
from bench.speed.shipped import interpreter, pruned
from infra.local.cloud import API, INGEST
from tests.conftest import PicTrace


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return interpreter(tmp_path_factory.mktemp("shipped") / "venv")


def test_every_pruned_path_exists_in_the_installed_packages(python: str) -> None:
    """Otherwise a stale list would prove nothing."""
    held = Path(distribution("numpy").locate_file(""))  # type: ignore[arg-type]
    assert [path for path in pruned() if not any(held.glob(path))] == []
    [packages] = Path(python).parents[1].glob("lib/python*/site-packages")
    assert [path for path in pruned() if any(packages.glob(path))] == []
    assert (packages / "ai_edge_litert" / "interpreter.py").is_file()


def test_both_functions_work_without_the_pruned_files(python: str, running: PicTrace) -> None:
    with closing(Events(running.cloud, [synthetic_image(70_000)], "shipped")) as events:
        exercise(python, events)


def exercise(python: str, events: Events) -> None:
    with runtime_api.running(INGEST, python) as ingest:
        assert ingest.call(events.arrival())[1] == {"batchItemFailures": []}
        assert ingest.maps("ai_edge_litert")
        assert not ingest.maps("site-packages/moto")
    with runtime_api.running(API, python) as api:
        _, answer = api.call(events.search())
        assert answer["statusCode"] == 200, answer
        assert json.loads(answer["body"])["matches"][0]["verdict"] == "identical"
        asked = [
            http_event("GET", "/health"),
            http_event("GET", "/openapi.json"),
            http_event("POST", "/v1/search", b"{"),
        ]
        assert [api.call(event)[1]["statusCode"] for event in asked] == [200, 200, 400]
