"""Copies that arrive in the same second end in one group, whatever the order."""

import hashlib
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.conftest import PicTrace
from tests.integration.conftest import until
from tests.triples import triples

REPETITIONS = int(os.environ.get("PICTRACE_TRIPLES", "1"))
"""Set PICTRACE_TRIPLES=50 for a long run."""
AT_ONCE = 4
SECONDS = 900
"""Patience for all 60 images, on a machine that may be busy."""


def all_groups(running: PicTrace, collection: str) -> list[Any]:
    found, cursor = list[Any](), None
    while True:
        page = running.client.get(
            f"/v1/duplicates?collection={collection}&limit=50{f'&cursor={cursor}' if cursor else ''}"
        ).json()
        found += page["groups"]
        cursor = page["cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_twenty_triples_that_arrive_at_once_are_twenty_groups(
    running: PicTrace, collection: str, repetition: int
) -> None:
    wanted = triples()
    files = [data for triple in wanted for data in triple]
    random.Random(repetition).shuffle(files)
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        uploads = list(
            threads.map(
                lambda data: running.upload(
                    data, collection=collection, media_type="image/png" if data.startswith(b"\x89") else "image/jpeg"
                ),
                files,
            )
        )
    for upload_id in uploads:
        state = until(partial(final, running, upload_id), SECONDS)
        assert state["status"] == "indexed"
    expected = {frozenset(hashlib.sha256(data).hexdigest() for data in triple) for triple in wanted}
    groups = all_groups(running, collection)
    found = {frozenset(image["image_id"] for image in group["images"]) for group in groups}
    assert sorted(map(len, found - expected)) == sorted(map(len, expected - found)) == []
    best = {hashlib.sha256(triple[0]).hexdigest() for triple in wanted}
    assert len({group["best"] for group in groups} & best) >= len(best) - 1  # the Moon is an enlargement itself
    print(f"repetition {repetition}: {len(groups)} groups of 3 in {time.monotonic() - started:.1f} s")


def final(running: PicTrace, upload_id: str) -> Any:
    state = running.client.get(f"/v1/uploads/{upload_id}").json()
    return state if state["status"] != "pending" and state["grouping"] == "done" else None
