"""A decoder may crash, hang or eat memory: its image is refused with the cause, and everything else goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from shared.domain.errors import PictureRefused
from shared.domain.limits import MIB
from shared.vision.decode.sandbox import DecoderUnavailable, Sandbox

LINUX = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit on memory needs /proc")


ROOT = Path(__file__).resolve().parents[2]
AS_ON_LAMBDA = """
mount -t tmpfs -o ro none /dev/shm && mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@"
"""
"""Runs a command with a /dev/shm that takes nothing and code that is read-only."""
SEVERAL = """
import multiprocessing
from shared.domain.errors import PictureRefused
from shared.vision.decode.sandbox import Sandbox
isolation = Sandbox("tests.unit.crashing_decoders:decode")
for data in (b"fine", b"segfault", b"fine"):
    try:
        print(isolation.decode(data).rgb.shape)
    except PictureRefused as refused:
        print(refused.code)
try:
    multiprocessing.Lock()
except OSError:
    print("multiprocessing does not work")
"""


@pytest.fixture(scope="module")
def isolation() -> Iterator[Sandbox]:
    made = Sandbox("tests.unit.crashing_decoders:decode", memory=300 * MIB, cpu_seconds=1)
    yield made
    made.close()


@pytest.fixture
def impatient() -> Iterator[Sandbox]:
    made = Sandbox("tests.unit.crashing_decoders:decode", seconds=1)
    yield made
    made.close()


def pixels(isolation: Sandbox, data: bytes = b"fine") -> list[int]:
    done = isolation.decode(data)
    assert done.rgb.shape == (2, 3, 3)
    return [int(value) for value in done.rgb.reshape(-1)]


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (b"segfault", "decoder_failed", "SIGSEGV"),
        (b"abort", "decoder_failed", "SIGABRT"),
        (b"exit", "decoder_failed", "exit status 7"),
        (b"raise", "decoder_failed", "exit status 1"),
        pytest.param(b"memory", "too_complex", "more than 300 MB of memory", marks=LINUX),
        (b"loop", "too_complex", "more than 1 s of processor time"),
        (b"killed", "too_complex", "memory is short"),
        (b"refuse", "corrupt", "Not an image"),
    ],
)
def test_only_the_image_dies(isolation: Sandbox, data: bytes, code: str, reason: str) -> None:
    before = isolation.decode(b"helper").format
    with pytest.raises(PictureRefused, match=reason) as refused:
        isolation.decode(data)
    assert refused.value.code == code
    assert pixels(isolation) == list(range(4, 22))
    assert isolation.decode(b"helper").format == before, "the helper was not lost either"


def test_a_decoder_that_waits_is_given_up(impatient: Sandbox) -> None:
    """That is no verdict on the image: on a busy machine a good one may have to wait so long."""
    started = time.monotonic()
    with pytest.raises(DecoderUnavailable, match="within 1 s"):
        impatient.decode(b"hang")
    assert 1 <= time.monotonic() - started < 10
    assert pixels(impatient) == list(range(4, 22))


def test_pixels_are_the_callers_own(isolation: Sandbox) -> None:
    first, second = isolation.decode(b"a").rgb, isolation.decode(b"bb").rgb
    first[:] = 0
    assert second[0, 0].tolist() == [2, 3, 4]
    assert second.flags.c_contiguous
    assert second.dtype == np.uint8


@pytest.mark.parametrize("lacks", ["the call", "permission"])
def test_where_no_file_can_be_in_memory_it_is_on_disk(
    isolation: Sandbox, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    def refused(_: str) -> int:
        raise PermissionError

    if lacks == "the call":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    else:
        monkeypatch.setattr(os, "memfd_create", refused, raising=False)
    assert pixels(isolation) == list(range(4, 22))


def test_a_lost_helper_is_replaced(isolation: Sandbox) -> None:
    for _ in range(3):
        os.kill(int(isolation.decode(b"helper").format), signal.SIGKILL)
        assert pixels(isolation) == list(range(4, 22))


def test_a_helper_lost_in_the_middle_is_replaced(impatient: Sandbox) -> None:
    helper = int(impatient.decode(b"helper").format)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(impatient.decode, b"hang")
        time.sleep(0.3)
        os.kill(helper, signal.SIGKILL)
        with pytest.raises(DecoderUnavailable, match="within 1 s"):
            slow.result()


def test_many_threads_get_each_their_own_answer(isolation: Sandbox) -> None:
    def work(number: int) -> bool:
        if number % 7 == 0:
            with pytest.raises(PictureRefused):
                isolation.decode(b"segfault")
            return True
        return pixels(isolation, b"x" * number)[0] == number

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(1, 60)))


def test_nothing_is_left_open(isolation: Sandbox) -> None:
    def open_here() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    pixels(isolation)
    before = open_here()
    for data in (b"fine", b"segfault", b"refuse", b"killed"):
        for _ in range(3):
            try:
                isolation.decode(data)
            except PictureRefused:
                continue
    assert open_here() == before


@LINUX
def test_the_helper_has_one_thread_and_no_credentials(isolation: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    isolation.close()
    assert isolation.decode(b"threads of the helper").format == "1"
    assert not [name for name in isolation.decode(b"environment").format.split() if name.startswith("AWS_")]


def test_a_decoder_that_does_not_start_is_no_fault_of_the_image() -> None:
    with pytest.raises(DecoderUnavailable):
        Sandbox("tests.unit.no_such_module:decode").decode(b"fine")


@LINUX
def test_it_works_without_shared_memory_and_in_a_read_only_folder() -> None:
    inside = [str(shutil.which("unshare")), "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*inside, "mount -t tmpfs none /mnt"], check=False).returncode:
        pytest.skip("this system lets nobody make a namespace")
    program = [sys.executable, "-B", "-c", SEVERAL]
    said = subprocess.run(
        [*inside, AS_ON_LAMBDA, "sh", *program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout.splitlines()
    assert said == ["(2, 3, 3)", "decoder_failed", "(2, 3, 3)", "multiprocessing does not work"]


@LINUX
def test_the_helper_ends_with_the_process_that_started_it() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # no cleaning up here: this process dies as if it were killed
        mine = Sandbox("tests.unit.crashing_decoders:decode")
        os.write(writing, mine.decode(b"helper").format.encode())
        os._exit(0)
    os.waitpid(child, 0)
    helper = Path("/proc") / os.read(reading, 20).decode()
    os.close(reading)
    os.close(writing)
    deadline = time.monotonic() + 5
    while helper.exists() and "Z" not in (helper / "stat").read_text().rsplit(")", 1)[1]:
        assert time.monotonic() < deadline, "the helper outlives its owner"
        time.sleep(0.05)
