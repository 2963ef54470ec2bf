"""Whatever events are repeated, late or out of order, and whatever workers die, the index matches the bucket."""

import hashlib
import os
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from functions.ingest import reindexer, stored_images
from shared.aws.event_bus import events_for
from shared.domain.errors import PictureRefused
from shared.domain.events import Reindex
from shared.domain.images import signature_key, thumbnail_key
from shared.domain.ledger import ImageKey
from shared.domain.outcomes import OutcomeStatus
from tests.faults.simulation import (
    BUCKET,
    MODEL,
    NO_IMAGE,
    Event,
    Simulation,
    Worker,
    play_histories,
    stub_descriptions,
)
from tests.faults.stores import STORES, DynamoStore, EmbeddedStore, MakeStore

ORDERS: Final = int(os.environ.get("PICTRACE_ORDERS", "5000"))
KEYS: Final = [f"uploads/c/{letter}.png" for letter in "abc"]
IMAGES: Final = [b"one", b"two", NO_IMAGE]


def image_id(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def expected(simulation: Simulation) -> dict[str, set[str]]:
    """The expected state: each image's sources are the keys that hold its bytes now."""
    wanted: dict[str, set[str]] = {}
    for (_, key), data in simulation.bucket.objects.items():
        if key.startswith("uploads/") and data != NO_IMAGE:
            wanted.setdefault(image_id(data), set()).add(key)
    return wanted


def check(simulation: Simulation, *, archives: bool = False) -> None:
    """Hold the index against the bucket.

    Args:
        archives: a thumbnail may be missing, because the object was archived while a removal that was under way
            deleted it; it is made again when somebody first asks for it.
    """
    wanted = expected(simulation)
    assert simulation.store.sources() == wanted
    assert simulation.store.recorded() == set(wanted)
    signatures = {key for bucket, key in simulation.bucket.objects if key.startswith("signatures/")}
    assert signatures == {signature_key(model, one) for one in wanted for model in simulation.models}
    thumbnails = {key for bucket, key in simulation.bucket.objects if key.startswith("thumbnails/")}
    kept = {thumbnail_key("c", one) for one in wanted}
    assert thumbnails <= kept if archives else thumbnails == kept
    assert {image.image_id for image in simulation.faces.images} <= set(wanted)
    assert simulation.store.described() == {(one, model) for one in wanted for model in simulation.models}


def change(simulation: Simulation, through_api: bool) -> Callable[[], None]:
    """A random change that a person makes to the bucket."""
    rng = simulation.rng
    match rng.random():
        case chance if chance < 0.6:
            return simulation.put(rng.choice(KEYS), rng.choice(IMAGES))
        case chance if chance < 0.75 and len(simulation.models) > 1:
            return simulation.reindex(image_id(rng.choice(IMAGES[:2])))
        case chance if chance < 0.85 or not through_api:
            return simulation.delete(rng.choice(KEYS))
        case _:
            return simulation.remove_through_api(image_id(rng.choice(IMAGES[:2])))


@pytest.fixture(autouse=True)
def _stub_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_descriptions(monkeypatch)


def simulate(rng: random.Random, models: tuple[str, ...] = (MODEL,), make_store: MakeStore = DynamoStore) -> Simulation:
    """A simulation with or without sequencers, in which some workers may die."""
    return Simulation(rng, rng.random() < 0.5, rng.randint(0, 4), models, make_store)


def play_changes(simulation: Simulation) -> None:
    through_api = simulation.rng.random() < 0.5
    simulation.play(simulation.rng.randint(1, 6), lambda simulation: change(simulation, through_api), repeat=0.2)
    check(simulation)


def test_the_index_ends_up_matching_the_bucket() -> None:
    play_histories(ORDERS, lambda rng: play_changes(simulate(rng)))


def test_the_index_ends_up_matching_the_bucket_under_two_models() -> None:
    """Images are reindexed and the active model changes at any moment, yet nothing of a removed image remains."""
    play_histories(ORDERS // 5, lambda rng: play_changes(simulate(rng, (MODEL, "next"))))


def test_the_index_in_the_embedded_store_ends_up_matching_the_bucket() -> None:
    def play(rng: random.Random) -> None:
        play_changes(simulate(rng, rng.choice([(MODEL,), (MODEL, "next")]), EmbeddedStore))

    play_histories(ORDERS // 5, play)


@pytest.mark.parametrize(("make_store", "orders"), [(DynamoStore, ORDERS // 5), (EmbeddedStore, ORDERS // 25)])
def test_trashing_and_restoring_loses_and_resurrects_no_image(make_store: MakeStore, orders: int) -> None:
    """Images move into the trash, and out of it for good or back; once all are restored, the index is exact."""
    moved = 0

    def play(rng: random.Random) -> None:
        nonlocal moved
        simulation = simulate(rng, make_store=make_store)
        play_with_trash(simulation)
        moved += simulation.moved

    play_histories(orders, play)
    assert moved > orders / 20


def play_with_trash(simulation: Simulation) -> None:
    through_api = simulation.rng.random() < 0.5

    def change_or_trash(simulation: Simulation) -> Callable[[], None]:
        one = image_id(simulation.rng.choice(IMAGES[:2]))
        match simulation.rng.random():
            case chance if chance < 0.3:
                return simulation.trash(one)
            case chance if chance < 0.45:
                return simulation.take_out(one)
            case chance if chance < 0.55:
                return simulation.purge(one)
            case _:
                return change(simulation, through_api)

    simulation.play(simulation.rng.randint(1, 8), change_or_trash, repeat=0.2)
    for data in IMAGES[:2]:
        held = simulation.store.trash.holds(ImageKey("c", image_id(data)))
        assert not held or image_id(data) in expected(simulation)
        assert simulation.store.trash.take_out(ImageKey("c", image_id(data))) == held  # no purge is left unfinished
    check(simulation)


@pytest.mark.parametrize(("make_store", "orders"), [(DynamoStore, ORDERS // 5), (EmbeddedStore, ORDERS // 25)])
def test_archiving_and_restoring_objects_loses_no_image(make_store: MakeStore, orders: int) -> None:
    """While some objects are unreadable, the index shows no image that is gone; once all are readable, it is exact."""
    play_histories(orders, lambda rng: play_with_archives(simulate(rng, make_store=make_store)))


def play_with_archives(simulation: Simulation) -> None:
    def change_or_archive(simulation: Simulation) -> Callable[[], None]:
        match simulation.rng.random():
            case chance if chance < 0.25:
                return simulation.archive(simulation.rng.choice(KEYS))
            case chance if chance < 0.4:
                return simulation.restore(simulation.rng.choice(KEYS))
            case _:
                return change(simulation, through_api=False)

    simulation.play(simulation.rng.randint(1, 8), change_or_archive, repeat=0.2)
    wanted = expected(simulation)
    archived = {key for _, key in simulation.bucket.archived}
    for one, keys in simulation.store.sources().items():
        assert keys <= wanted[one]
    for one, keys in wanted.items():
        assert keys - archived <= simulation.store.sources().get(one, set())
    for key in sorted(archived):
        simulation.restore(key)()
    simulation.play(0, change_or_archive, repeat=0.2)
    check(simulation, archives=True)


@pytest.mark.parametrize("make_store", STORES)
def test_an_image_removed_during_reindexing_leaves_nothing_behind(make_store: MakeStore) -> None:
    simulation = Simulation(random.Random(2), sequenced=True, deaths=0, models=(MODEL, "next"), make_store=make_store)

    def until_done(job: Callable[[], None]) -> None:
        worker = Worker(job, None)
        while not worker.dead:
            worker.switch()

    simulation.bucket.put_object(Bucket=BUCKET, Key=KEYS[0], Body=b"one")
    until_done(partial(simulation.handle, simulation.waiting.pop()))
    model = simulation.store.forget_secondary()
    slow = Worker(partial(simulation.handle, Reindex(ImageKey("c", image_id(b"one")), model)), None)
    while simulation.last_call != simulation.store.add_call:
        slow.switch()
    until_done(simulation.remove_through_api(image_id(b"one")))
    while not slow.dead:
        slow.switch()
    check(simulation)
    assert expected(simulation) == {}


@pytest.mark.parametrize("make_store", STORES)
def test_reindexing_takes_no_image_out_of_the_trash(make_store: MakeStore) -> None:
    simulation = Simulation(random.Random(4), sequenced=True, deaths=0, make_store=make_store)
    simulation.bucket.put_object(Bucket=BUCKET, Key=KEYS[0], Body=b"one")
    simulation.handle(simulation.waiting.pop())
    image = ImageKey("c", image_id(b"one"))
    assert simulation.store.trash.put(image, "2026-11-28T12:00:00.000000+00:00")
    simulation.models = (MODEL, "next")
    simulation.reindexer.reindex(Reindex(image, "next"))
    assert simulation.store.trash.holds(image)


@pytest.mark.parametrize("make_store", STORES)
def test_a_purge_spares_an_image_that_was_restored_or_uploaded_again(make_store: MakeStore) -> None:
    simulation = Simulation(random.Random(5), sequenced=True, deaths=0, make_store=make_store)
    trash, image = simulation.store.trash, ImageKey("c", image_id(b"one"))
    simulation.bucket.put_object(Bucket=BUCKET, Key=KEYS[0], Body=b"one")
    simulation.handle(simulation.waiting.pop())

    def upload() -> None:
        simulation.bucket.put_object(Bucket=BUCKET, Key=KEYS[1], Body=b"one")
        simulation.handle(simulation.waiting.pop())

    for come_back in (lambda: trash.take_out(image), upload):
        trash.put(image, "2026-11-28T12:00:00.000000+00:00")
        assert image in trash.due("2026-11-29", 9, "c")
        come_back()
        assert not simulation.remover.purge(image, trash, "2026-11-29")
        check(simulation)


@pytest.mark.parametrize("own_bucket", [BUCKET, "another"])
@pytest.mark.parametrize(("removal", "collection"), [("purge", "c"), ("purge", "d"), ("remove", "d")])
@pytest.mark.parametrize("make_store", STORES)
def test_an_image_that_is_added_during_a_removal_is_found_afterwards(
    make_store: MakeStore, removal: str, collection: str, own_bucket: str
) -> None:
    """Whenever it comes. No event tells of an object of another bucket, which a removal leaves there.

    Its thumbnail may have been deleted, and is made again when somebody first asks for it.
    """
    image = ImageKey(collection, image_id(b"one"))

    def remove(simulation: Simulation) -> None:
        simulation.remover.remove(image.image_id, "c")

    def play(steps: int) -> bool:
        """Let a removal take so many steps before an object with the same bytes is added; return whether it ended."""
        simulation = Simulation(
            random.Random(6), sequenced=True, deaths=0, make_store=make_store, own_bucket=own_bucket
        )
        simulation.bucket.put_object(Bucket=BUCKET, Key=KEYS[0], Body=b"one")
        simulation.handle(simulation.waiting.pop())
        if removal == "purge":
            assert simulation.store.trash.put(ImageKey("c", image.image_id), "2026-11-28T12:00:00.000000+00:00")
            worker = Worker(simulation.purge(image.image_id), None)
        else:
            worker = Worker(partial(remove, simulation), None)
        for _ in range(steps):
            if not worker.dead:
                worker.switch()
        ended = worker.dead
        simulation.bucket.put_object(Bucket=BUCKET, Key=f"uploads/{collection}/new.png", Body=b"one")
        simulation.handle(simulation.waiting.pop())
        while not worker.dead:
            worker.switch()
        while simulation.waiting:
            simulation.handle(simulation.waiting.pop())
        assert simulation.store.catalogue.find(image.image_id, collection), f"added after {steps} steps"
        assert (BUCKET, signature_key(MODEL, image.image_id)) in simulation.bucket.objects, f"added after {steps} steps"
        return ended

    assert next(steps for steps in range(200) if play(steps)) > 5


@pytest.mark.parametrize("make_store", STORES)
def test_an_image_that_the_next_model_cannot_describe_is_refused_and_kept(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation(random.Random(3), sequenced=True, deaths=0, models=(MODEL, "next"), make_store=make_store)
    simulation.bucket.put_object(Bucket=BUCKET, Key=KEYS[0], Body=b"one")
    simulation.handle(simulation.waiting.pop())
    model = simulation.store.forget_secondary()

    def refuse(*_: Any, **__: Any) -> None:
        raise PictureRefused("undescribable", "The features are not all finite numbers.")

    for module in (stored_images, reindexer):
        monkeypatch.setattr(module, "describe", refuse)
    event = Reindex(ImageKey("c", image_id(b"one")), model)
    outcome = simulation.reindexer.reindex(event)
    assert (outcome.status, outcome.code, outcome.vanished) == (OutcomeStatus.IGNORED, "undescribable", ())
    assert list(events_for(outcome)) == [], "the image is still indexed"
    assert simulation.store.refusal(event.image_key, model) == ("undescribable", outcome.reason)
    assert simulation.store.sources() == expected(simulation)


@pytest.mark.parametrize("make_store", STORES)
def test_a_removal_stops_a_worker_that_has_already_read_the_object(make_store: MakeStore) -> None:
    """Without sequencers only the ledger's revision shows the removal: the entry says `removed` before and after."""
    simulation = Simulation(random.Random(1), sequenced=False, deaths=0, make_store=make_store)
    key, events = KEYS[0], simulation.waiting

    def until_done(event: Event) -> None:
        worker = Worker(lambda: simulation.handle(event), event)
        while not worker.dead:
            worker.switch()

    simulation.bucket.put_object(Bucket=BUCKET, Key=key, Body=b"one")
    until_done(events.pop())
    simulation.bucket.delete_object(Bucket=BUCKET, Key=key)
    until_done(events.pop())
    simulation.bucket.put_object(Bucket=BUCKET, Key=key, Body=b"one")
    late = events.pop()
    slow = Worker(lambda: simulation.handle(late), late)
    while simulation.last_call != simulation.store.change_call:
        slow.switch()
    simulation.bucket.delete_object(Bucket=BUCKET, Key=key)
    until_done(events.pop())
    while not slow.dead:
        slow.switch()
    check(simulation)
    assert expected(simulation) == {}
