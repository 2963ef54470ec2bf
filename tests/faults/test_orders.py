"""Events that come twice, late and out of order, and workers that die: the index ends as the bucket is."""

import hashlib
import os
import random
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.aws.dynamodb import item_mapper
from shared.domain.events import Reindex
from shared.domain.images import signature_key, thumbnail_key
from shared.domain.ledger import ImageKey
from tests.faults.simulation import BUCKET, MODEL, NO_IMAGE, Event, Worker, World, use_tiny_descriptions

ORDERS: Final = int(os.environ.get("PICTRACE_ORDERS", "10000"))
KEYS: Final = [f"uploads/c/{letter}.png" for letter in "abc"]
IMAGES: Final = [b"one", b"two", NO_IMAGE]


def image_id(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def expected(world: World) -> dict[str, set[str]]:
    """The plain model: each image's sources are the keys that hold its bytes now."""
    wanted: dict[str, set[str]] = {}
    for (_, key), data in world.bucket.objects.items():
        if key.startswith("uploads/") and data != NO_IMAGE:
            wanted.setdefault(image_id(data), set()).add(key)
    return wanted


def held(world: World) -> dict[str, set[str]]:
    """The index: each image's sources."""
    found: dict[str, set[str]] = {}
    for (pk, _), item in world.table.items.items():
        if pk.startswith("image#") and not item_mapper.is_record(item) and not item_mapper.is_vectors(item):
            found.setdefault(pk.removeprefix("image#"), set()).add(item["key"]["S"])
    return found


def check(world: World) -> None:
    wanted = expected(world)
    recorded, described = set(), set()
    for (pk, _), item in world.table.items.items():
        if pk.startswith("image#"):
            if "model" in item:
                described.add((pk.removeprefix("image#"), item["model"]["S"]))
            if item_mapper.is_record(item):
                recorded.add(pk.removeprefix("image#"))
    assert held(world) == wanted
    assert recorded == set(wanted)
    signatures = {key for bucket, key in world.bucket.objects if key.startswith("signatures/")}
    assert signatures == {signature_key(model, one) for one in wanted for model in world.models}
    thumbnails = {key for bucket, key in world.bucket.objects if key.startswith("thumbnails/")}
    assert thumbnails == {thumbnail_key("c", one) for one in wanted}
    assert described == {(one, model) for one in wanted for model in world.models}


def change(world: World, through_api: bool) -> Callable[[], None]:
    """Something that people do to the bucket."""
    rng = world.rng
    match rng.random():
        case chance if chance < 0.6:
            return world.put(rng.choice(KEYS), rng.choice(IMAGES))
        case chance if chance < 0.75 and len(world.models) > 1:
            return world.reindex(image_id(rng.choice(IMAGES[:2])))
        case chance if chance < 0.85 or not through_api:
            return world.delete(rng.choice(KEYS))
        case _:
            return world.remove_through_api(image_id(rng.choice(IMAGES[:2])))


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny_descriptions(monkeypatch)


@settings(max_examples=ORDERS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(0, 2**63), sequenced=st.booleans(), deaths=st.integers(0, 4), through_api=st.booleans())
def test_the_index_ends_as_the_bucket_is(seed: int, sequenced: bool, deaths: int, through_api: bool) -> None:
    world = World(random.Random(seed), sequenced, deaths)
    world.play(world.rng.randint(1, 6), lambda world: change(world, through_api), repeat=0.2)
    check(world)


@settings(max_examples=ORDERS // 10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(0, 2**63), sequenced=st.booleans(), deaths=st.integers(0, 4), through_api=st.booleans())
def test_under_two_models_too(seed: int, sequenced: bool, deaths: int, through_api: bool) -> None:
    """While images are reindexed and the active model changes at any moment: nothing of a removed image stays."""
    world = World(random.Random(seed), sequenced, deaths, models=(MODEL, "next"))
    world.play(world.rng.randint(1, 6), lambda world: change(world, through_api), repeat=0.2)
    check(world)


@settings(max_examples=ORDERS // 10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(seed=st.integers(0, 2**63), sequenced=st.booleans(), deaths=st.integers(0, 4))
def test_objects_that_are_archived_and_restored_lose_nothing(seed: int, sequenced: bool, deaths: int) -> None:
    """While some cannot be read the index shows no more than there is; once all can, exactly what there is."""
    world = World(random.Random(seed), sequenced, deaths)

    def change_or_archive(world: World) -> Callable[[], None]:
        match world.rng.random():
            case chance if chance < 0.25:
                return world.archive(world.rng.choice(KEYS))
            case chance if chance < 0.4:
                return world.restore(world.rng.choice(KEYS))
            case _:
                return change(world, through_api=False)

    world.play(world.rng.randint(1, 8), change_or_archive, repeat=0.2)
    wanted = expected(world)
    archived = {key for _, key in world.bucket.archived}
    for one, keys in held(world).items():
        assert keys <= wanted[one]
    for one, keys in wanted.items():
        assert keys - archived <= held(world).get(one, set())
    for key in sorted(archived):
        world.restore(key)()
    world.play(0, change_or_archive, repeat=0.2)
    check(world)


def test_an_image_that_goes_while_it_is_reindexed_leaves_nothing() -> None:
    world = World(random.Random(2), sequenced=True, deaths=0, models=(MODEL, "next"))

    def until_done(job: Callable[[], None]) -> None:
        worker = Worker(job, None)
        while not worker.dead:
            worker.switch()

    world.bucket.put_object(Bucket=BUCKET, Key=KEYS[0], Body=b"one")
    until_done(partial(world.handle, world.waiting.pop()))
    [secondary] = [key for key, item in world.table.items.items() if item_mapper.is_vectors(item)]
    model = world.table.items.pop(secondary)["model"]["S"]
    slow = Worker(partial(world.handle, Reindex(ImageKey("c", image_id(b"one")), model)), None)
    while world.last_call != "put_item":
        slow.switch()
    until_done(world.remove_through_api(image_id(b"one")))
    while not slow.dead:
        slow.switch()
    check(world)
    assert expected(world) == {}


def test_a_removal_stops_a_worker_that_read_the_object_before_it_went() -> None:
    """Without sequencers only the ledger's revision tells it, though the entry says `removed` before and after."""
    world = World(random.Random(1), sequenced=False, deaths=0)
    key, events = KEYS[0], world.waiting

    def until_done(event: Event) -> None:
        worker = Worker(lambda: world.handle(event), event)
        while not worker.dead:
            worker.switch()

    world.bucket.put_object(Bucket=BUCKET, Key=key, Body=b"one")
    until_done(events.pop())
    world.bucket.delete_object(Bucket=BUCKET, Key=key)
    until_done(events.pop())
    world.bucket.put_object(Bucket=BUCKET, Key=key, Body=b"one")
    late = events.pop()
    slow = Worker(lambda: world.handle(late), late)
    while world.last_call != "transact_write_items":
        slow.switch()
    world.bucket.delete_object(Bucket=BUCKET, Key=key)
    until_done(events.pop())
    while not slow.dead:
        slow.switch()
    check(world)
    assert expected(world) == {}
