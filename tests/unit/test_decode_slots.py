"""Slots are given out in order, within a bounded time, and never all to heavy work."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.errors import DecoderUnavailable
from shared.vision.decode import decoding
from shared.vision.decode.headers import Header
from shared.vision.decode.sandbox import Sandbox
from shared.vision.decode.slots import Slots


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    created = Sandbox("tests.unit.crashing_decoders:decode")
    created.decode(b"fine")
    yield created
    created.close()


def test_an_ordinary_image_does_not_wait_for_several_heavy_ones(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(6) as threads:
        heavy = [threads.submit(sandbox.decode, b"doze", heavy=True) for _ in range(6)]
        time.sleep(0.1)
        started = time.monotonic()
        sandbox.decode(b"fine", patience=2)
        assert time.monotonic() - started < 0.4
        assert [one.result().format for one in heavy] == ["rested"] * 6
    assert time.monotonic() - started > 2, "one after the other"


def test_waiting_ends_after_a_while(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(sandbox.decode, b"doze", heavy=True)
        time.sleep(0.1)
        with pytest.raises(DecoderUnavailable, match="other images were being decoded"):
            sandbox.decode(b"doze", heavy=True, patience=0.1)
        assert first.result().format == "rested"
        assert sandbox.decode(b"doze", heavy=True, patience=0.1).format == "rested"


def test_slots_are_given_out_in_the_order_of_arrival() -> None:
    slots, order, threads = Slots(1, 1), list[int](), list[threading.Thread]()

    def work(number: int) -> None:
        with slots.hold(heavy=bool(number % 2), patience=None):
            order.append(number)

    with slots.hold(heavy=False, patience=None):
        for number in range(8):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            while len(slots._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_a_slot_is_free_again_after_work_that_failed() -> None:
    slots = Slots(1, 1)
    for _ in range(3):
        with pytest.raises(KeyError), slots.hold(heavy=True, patience=0.1):
            raise KeyError


@pytest.mark.parametrize(
    ("header", "heavy"),
    [
        (Header("png", 5000, 5000), True),
        (Header("png", 2000, 3000), False),
        (Header("jpeg", 5000, 4000), False),
        (Header("jpeg", 6500, 6000), True),
    ],
)
def test_an_image_is_heavy_by_its_pixels(header: Header, heavy: bool) -> None:
    assert decoding._is_heavy(header) is heavy
