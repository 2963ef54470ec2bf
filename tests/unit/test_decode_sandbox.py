"""A decoder may crash, hang or exhaust memory: its image is refused with the cause, and everything else goes on."""

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

from shared.domain.errors import DecoderUnavailable, PictureRefused
from shared.domain.limits import MIB
from shared.vision.decode.sandbox import Sandbox

LINUX = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit on memory needs /proc")


ROOT = Path(__file__).resolve().parents[2]
AS_ON_LAMBDA = """
mount -t tmpfs -o ro none /dev/shm && mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@"
"""
"""Runs a command with a /dev/shm that cannot be written and a read-only working folder."""
SEVERAL_IMAGES = """
import multiprocessing
from shared.domain.errors import PictureRefused
from shared.vision.decode.sandbox import Sandbox
sandbox = Sandbox("tests.unit.crashing_decoders:decode")
for data in (b"fine", b"segfault", b"fine"):
    try:
        print(sandbox.decode(data).rgb.shape)
    except PictureRefused as refused:
        print(refused.code)
try:
    multiprocessing.Lock()
except OSError:
    print("multiprocessing does not work")
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    created = Sandbox("tests.unit.crashing_decoders:decode", memory=300 * MIB, cpu_seconds=1)
    yield created
    created.close()


@pytest.fixture
def impatient() -> Iterator[Sandbox]:
    created = Sandbox("tests.unit.crashing_decoders:decode", seconds=1)
    yield created
    created.close()


def pixels(sandbox: Sandbox, data: bytes = b"fine") -> list[int]:
    done = sandbox.decode(data)
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
def test_a_crash_costs_only_its_own_image(sandbox: Sandbox, data: bytes, code: str, reason: str) -> None:
    before = sandbox.decode(b"helper").format
    with pytest.raises(PictureRefused, match=reason) as refused:
        sandbox.decode(data)
    assert refused.value.code == code
    assert pixels(sandbox) == list(range(4, 22))
    assert sandbox.decode(b"helper").format == before, "the helper was not lost either"


def test_the_helper_warms_up_the_decoder_once(sandbox: Sandbox) -> None:
    assert [sandbox.decode(b"warm").format for _ in range(2)] == ["True", "True"]


def test_a_decoder_that_hangs_is_abandoned_without_a_verdict(impatient: Sandbox) -> None:
    """The image is not refused: on a busy machine, a valid one may have to wait that long."""
    started = time.monotonic()
    with pytest.raises(DecoderUnavailable, match="within 1 s"):
        impatient.decode(b"hang")
    assert 1 <= time.monotonic() - started < 10
    assert pixels(impatient) == list(range(4, 22))


def test_pixels_are_writable_and_not_shared(sandbox: Sandbox) -> None:
    first, second = sandbox.decode(b"a").rgb, sandbox.decode(b"bb").rgb
    first[:] = 0
    assert second[0, 0].tolist() == [2, 3, 4]
    assert second.flags.c_contiguous
    assert second.dtype == np.uint8


@pytest.mark.parametrize("lacks", ["the call", "permission"])
def test_images_go_through_disk_if_memory_files_are_unavailable(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    def refused(_: str) -> int:
        raise PermissionError

    if lacks == "the call":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    else:
        monkeypatch.setattr(os, "memfd_create", refused, raising=False)
    assert pixels(sandbox) == list(range(4, 22))


def test_a_lost_helper_is_replaced(sandbox: Sandbox) -> None:
    for _ in range(3):
        os.kill(int(sandbox.decode(b"helper").format), signal.SIGKILL)
        assert pixels(sandbox) == list(range(4, 22))


def test_a_helper_lost_while_decoding_is_replaced(impatient: Sandbox) -> None:
    helper = int(impatient.decode(b"helper").format)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(impatient.decode, b"hang")
        time.sleep(0.3)
        os.kill(helper, signal.SIGKILL)
        with pytest.raises(DecoderUnavailable, match="within 1 s"):
            slow.result()


def test_concurrent_threads_each_get_their_own_answer(sandbox: Sandbox) -> None:
    def work(number: int) -> bool:
        if number % 7 == 0:
            with pytest.raises(PictureRefused):
                sandbox.decode(b"segfault")
            return True
        return pixels(sandbox, b"x" * number)[0] == number

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(1, 60)))


def test_no_descriptors_leak(sandbox: Sandbox) -> None:
    def open_here() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    pixels(sandbox)
    before = open_here()
    for data in (b"fine", b"segfault", b"refuse", b"killed"):
        for _ in range(3):
            try:
                sandbox.decode(data)
            except PictureRefused:
                continue
    assert open_here() == before


@LINUX
def test_the_helper_has_one_thread_and_no_credentials(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    sandbox.close()
    assert sandbox.decode(b"threads of the helper").format == "1"
    assert not [name for name in sandbox.decode(b"environment").format.split() if name.startswith("AWS_")]


def test_a_decoder_that_cannot_start_does_not_refuse_the_image() -> None:
    with pytest.raises(DecoderUnavailable):
        Sandbox("tests.unit.no_such_module:decode").decode(b"fine")


@LINUX
def test_decoding_needs_neither_shared_memory_nor_a_writable_folder() -> None:
    inside = [str(shutil.which("unshare")), "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*inside, "mount -t tmpfs none /mnt"], check=False).returncode:
        pytest.skip("this system does not allow unprivileged namespaces")
    program = [sys.executable, "-B", "-c", SEVERAL_IMAGES]
    output = subprocess.run(
        [*inside, AS_ON_LAMBDA, "sh", *program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout.splitlines()
    assert output == ["(2, 3, 3)", "decoder_failed", "(2, 3, 3)", "multiprocessing does not work"]


@LINUX
def test_the_helper_exits_with_the_process_that_started_it() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # this process exits without cleaning up, as if it were killed
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
