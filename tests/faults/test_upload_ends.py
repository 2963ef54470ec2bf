"""Every upload ends, whatever happens to its object and its messages."""

import random
from collections.abc import Callable

import pytest

from shared.domain.images import ObjectRef, Upload, UploadStatus, upload_key
from tests.faults.simulation import BUCKET, NO_IMAGE, Simulation, play_histories, stub_descriptions
from tests.faults.stores import STORES, MakeStore
from tests.faults.test_event_orders import IMAGES, image_id

IDS = [letter * 32 for letter in "abc"]


@pytest.fixture(autouse=True)
def _stub_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_descriptions(monkeypatch)


def change(simulation: Simulation) -> Callable[[], None]:
    rng = simulation.rng
    key = upload_key("c", rng.choice(IDS))
    match rng.random():
        case chance if chance < 0.5:
            return simulation.put(key, rng.choice((*IMAGES, NO_IMAGE)))
        case chance if chance < 0.8:
            return simulation.delete(key)
        case _:
            return simulation.remove_through_api(image_id(rng.choice(IMAGES[:2])))


@pytest.mark.parametrize("make_store", STORES)
def test_the_upload_of_every_object_ends_and_states_only_its_last_end(make_store: MakeStore) -> None:
    play_histories(400, lambda rng: play_uploads(rng, make_store))


def play_uploads(rng: random.Random, make_store: MakeStore) -> None:
    simulation = Simulation(rng, rng.random() < 0.5, rng.randint(0, 4), make_store=make_store)
    uploads = simulation.store.uploads
    for upload_id in IDS:
        uploads.open(Upload(upload_id, "c", UploadStatus.PENDING), ObjectRef(BUCKET, upload_key("c", upload_id)))
    for upload_id in IDS:
        simulation.put(upload_key("c", upload_id), simulation.rng.choice((*IMAGES, NO_IMAGE)))()
    simulation.play(simulation.rng.randint(1, 5), change, repeat=0.2)
    for upload_id in IDS:
        state = uploads.find(upload_id)
        assert state is not None
        match state.status:
            case UploadStatus.INDEXED | UploadStatus.DUPLICATE:
                assert (state.code, state.reason) == (None, None)
                assert state.image_id
            case UploadStatus.REJECTED:
                assert state.code
                assert state.reason
                assert state.image_id is None
            case status:
                raise AssertionError(f"the upload is {status}")
