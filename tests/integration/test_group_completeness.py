"""Copies that arrive in the same second end in one group, whatever the order, in both stores."""

import hashlib
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from infra.local.data_folder import DataFolder
from infra.local.serving import serving
from infra.local.system import local_system
from tests.conftest import PicTrace
from tests.integration.conftest import until
from tests.triples import triples

REPETITIONS = int(os.environ.get("PICTRACE_TRIPLES", "1"))
"""Set PICTRACE_TRIPLES=50 for a long run."""
AT_ONCE = 4
SECONDS = 900
"""Patience for all 60 images, on a machine that may be busy."""

TRIPLES = triples()
EXPECTED = {frozenset(hashlib.sha256(data).hexdigest() for data in triple) for triple in TRIPLES}
BEST = {hashlib.sha256(triple[0]).hexdigest() for triple in TRIPLES}


@pytest.fixture(scope="module")
def embedded(model_dir: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        local_system(DataFolder(tmp_path_factory.mktemp("data"), is_new=True), model_dir) as system,
        serving(system.app, 0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_twenty_triples_that_arrive_at_once_are_twenty_groups_in_the_local_run(
    embedded: httpx.Client, collection: str, repetition: int
) -> None:
    check_triples(embedded, collection, repetition)


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_twenty_triples_that_arrive_at_once_are_twenty_groups(
    running: PicTrace, collection: str, repetition: int
) -> None:
    check_triples(running.client, collection, repetition)


def check_triples(client: httpx.Client, collection: str, repetition: int) -> None:
    files = [data for triple in TRIPLES for data in triple]
    random.Random(repetition).shuffle(files)
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        uploads = list(threads.map(partial(upload, client, collection), files))
    for upload_id in uploads:
        state = until(partial(final, client, upload_id), SECONDS)
        assert state["status"] == "indexed"
    ended = time.monotonic()
    groups = all_groups(client, collection)
    found = {frozenset(image["image_id"] for image in group["images"]) for group in groups}
    missing, wrong = EXPECTED - found, found - EXPECTED
    kept = len({group["best"] for group in groups} & BEST)
    print(f"repetition {repetition}: {len(found & EXPECTED)} of 20 groups, {kept} best, {ended - started:.1f} s")
    assert sorted(map(len, wrong)) == sorted(map(len, missing)) == []
    assert kept >= len(BEST) - 1  # the Moon is an enlargement itself


def upload(client: httpx.Client, collection: str, data: bytes) -> str:
    media_type = "image/png" if data.startswith(b"\x89") else "image/jpeg"
    wanted = {"filename": "a", "content_type": media_type, "collection": collection}
    form = client.post("/v1/uploads", json=wanted).raise_for_status().json()
    httpx.post(form["url"], data=form["fields"], files={"file": ("a", data)}, timeout=60).raise_for_status()
    return str(form["upload_id"])


def final(client: httpx.Client, upload_id: str) -> Any:
    """The state of an upload once its group is final."""
    state = client.get(f"/v1/uploads/{upload_id}").json()
    return state if state["status"] != "pending" and state["grouping"] == "done" else None


def all_groups(client: httpx.Client, collection: str) -> list[Any]:
    found, parameters = list[Any](), {"collection": collection, "limit": "50"}
    while True:
        page = client.get("/v1/duplicates", params=parameters).json()
        found += page["groups"]
        if page["cursor"] is None:
            return found
        parameters["cursor"] = page["cursor"]
