"""A sandbox for decoders: a child process for each image, with limits on memory and time.

`try` cannot catch a crash, an endless allocation or an endless loop inside a decoder. A helper process
(`fork_server`) therefore imports the decoder once and forks for each image; only the child can be lost. Forking is
safe in the helper because it has a single thread; the processes that use it have many.
"""

import contextlib
import json
import mmap
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from shared.domain.errors import DecoderUnavailable, PictureRefused
from shared.domain.limits import MAX_DECODE_CPU_SECONDS, MAX_DECODE_MEMORY, MAX_DECODE_SECONDS, MIB
from shared.vision.decode.slots import Slots

MAX_CONCURRENT: Final = 2
"""Maximum number of images decoded at the same time: the limit on memory applies to each of them."""

MAX_CONCURRENT_HEAVY: Final = 1
"""How many of these may be heavy, so that an ordinary image never waits for several of them."""

MAX_ATTEMPTS: Final = 2
"""Maximum number of attempts at an image when the helper is lost, or when the system kills the child."""

START_SECONDS: Final = 60
"""Time that the helper may take to start, added to the wait for a decode."""

HEADER_SIZE: Final = 4096
"""Bytes before the pixels in the file that a child writes: its answer as JSON. One page, so that pixels can be
mapped."""

REPORT: Final = struct.Struct("<iq")
"""The helper's report on a child that exited: its wait status, and its peak memory in bytes."""

OUT_OF_MEMORY: Final = 3
"""Exit status of a child whose decoder raised MemoryError."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """What a decoder returned.

    Attributes:
        format: the decoder's name of the format.
        rgb: uint8, height x width x 3; in memory that no other process uses any more.
        width, height: size of the image according to the decoder, in pixels.
        damaged: whether the file is cut off, or lacks its end.
        intact: share of the image that is there.
        pages: number of images in the file.
        stacked: if there are several, number, seconds, height and width of those in `rgb`, from its top on.
        capture: the fields of `Capture`.
    """

    format: str
    rgb: npt.NDArray[np.uint8]
    width: int
    height: int
    damaged: bool = False
    intact: float = 1.0
    pages: int = 1
    stacked: Sequence[Sequence[Any]] = ()
    capture: Sequence[Any] = ()


ANSWERED: Final = tuple(field.name for field in fields(DecodedImage) if field.name != "rgb")
"""What a decoder answers besides the pixels; it may leave out what has a default."""


class Sandbox:
    """A decoder in processes of its own. Safe to share between threads.

    Args:
        decoder: `module:function`; the function takes bytes and returns an object with the attributes of
            `DecodedImage`.
        memory: bytes that a child may allocate.
        cpu_seconds: processor time that a child may use.
        seconds: wall time that a child may take.

    Attributes:
        peak_memory: peak memory of the child that exited last, in bytes.
    """

    def __init__(
        self,
        decoder: str,
        *,
        memory: int = MAX_DECODE_MEMORY,
        cpu_seconds: int = MAX_DECODE_CPU_SECONDS,
        seconds: float = MAX_DECODE_SECONDS,
    ) -> None:
        self._decoder = decoder
        self._memory = memory
        self._cpu_seconds = cpu_seconds
        self._seconds = seconds
        self.peak_memory = 0
        self._lock = threading.Lock()
        self._slots = Slots(MAX_CONCURRENT, MAX_CONCURRENT_HEAVY)
        self._helper: _Helper | None = None

    def start(self) -> None:
        """Start the helper, which takes 0.1 s or more, without waiting for it."""
        with contextlib.suppress(DecoderUnavailable):  # the next image tries again, and reports the failure
            self._ensure_helper()

    def decode(self, data: bytes, *, heavy: bool = False, patience: float | None = None) -> DecodedImage:
        """Decode `data` in a child process.

        Args:
            heavy: whether it takes seconds rather than milliseconds.
            patience: seconds to wait while other images are decoded; None to wait for as long as it takes.

        Raises:
            PictureRefused: as the decoder raised it, or with `too_complex` or `decoder_failed` if its process died.
            DecoderUnavailable: the helper does not work, or the machine is too busy to decode.
        """
        with self._slot(heavy, patience):
            for attempt in range(MAX_ATTEMPTS):
                with _job_file(data) as job:
                    helper = self._ensure_helper()
                    report = helper.run(job.fileno(), self._seconds + START_SECONDS)
                    if report is None:
                        self._discard(helper)
                        continue
                    status, self.peak_memory = report
                    if not _was_killed(status) or attempt == MAX_ATTEMPTS - 1:
                        return self._result(job.fileno(), status)
        raise DecoderUnavailable("the process that decodes images died, or did not answer")

    @contextlib.contextmanager
    def _slot(self, heavy: bool, patience: float | None) -> Iterator[None]:
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(self._slots.hold(heavy=heavy, patience=patience))
            except TimeoutError:
                raise DecoderUnavailable(f"other images were being decoded for {patience:g} s") from None
            yield

    def close(self) -> None:
        """Stop the helper; the next image starts another."""
        if self._helper is not None:
            self._discard(self._helper)

    def _ensure_helper(self) -> "_Helper":
        with self._lock:
            if self._helper is None:
                limits = (str(self._memory), str(self._cpu_seconds), str(self._seconds))
                try:
                    self._helper = _Helper([self._decoder, *limits])
                except OSError as error:
                    raise DecoderUnavailable("the process that decodes images does not start") from error
            return self._helper

    def _discard(self, helper: "_Helper") -> None:
        with self._lock:
            if self._helper is helper:
                self._helper = None
        helper.stop()

    def _result(self, job: int, status: int) -> DecodedImage:
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            answer = json.loads(os.pread(job, HEADER_SIZE, 0).rstrip(b"\0"))
            if "code" in answer:
                raise PictureRefused(answer["code"], answer["reason"])
            return DecodedImage(rgb=_map_pixels(job, *answer.pop("shape")), **answer)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == OUT_OF_MEMORY:
            raise PictureRefused("too_complex", f"Decoding needs more than {self._memory // MIB} MB of memory.")
        if _was_killed(status):
            raise PictureRefused("too_complex", "The system killed the decoder twice, as it does when memory is short.")
        signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if signal_number == signal.SIGXCPU:
            raise PictureRefused("too_complex", f"Decoding takes more than {self._cpu_seconds} s of processor time.")
        if signal_number == signal.SIGALRM:
            # The child had not used up its processor time: the machine is busy, which must not cost the image.
            raise DecoderUnavailable(f"the decoder did not get its processor time within {self._seconds:g} s")
        exit_code = os.waitstatus_to_exitcode(status)
        cause = signal.Signals(signal_number).name if signal_number else f"exit status {exit_code}"
        raise PictureRefused("decoder_failed", f"The decoder crashed on the file ({cause}).")


class _Helper:
    """A running `fork_server`."""

    def __init__(self, arguments: list[str]) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "shared.vision.decode.fork_server", str(theirs.fileno()), *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_helper_environment(),
            )

    def run(self, job: int, timeout: float) -> tuple[int, int] | None:
        """Have a child decode `job`; return its wait status and peak memory, or None if the helper is lost.

        Args:
            timeout: seconds to wait for the child's report.
        """
        answer, reply = os.pipe()
        try:
            try:
                socket.send_fds(self._control, [b"1"], [job, reply])
            except OSError:
                return None
            finally:
                os.close(reply)
            waiting = select.poll()
            waiting.register(answer, select.POLLIN)
            if not waiting.poll(timeout * 1000):
                return None
            report = os.read(answer, REPORT.size)
        finally:
            os.close(answer)
        return REPORT.unpack(report) if len(report) == REPORT.size else None

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._control.close()


def _helper_environment() -> dict[str, str]:
    """Return this process's environment without credentials, which a decoder does not need, and with one thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


def _was_killed(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@contextlib.contextmanager
def _job_file(data: bytes) -> Iterator[IO[bytes]]:
    """Open an unnamed file that holds `data`, in memory if the system allows it; /dev/shm is not required."""
    with _open_unnamed_file() as file:
        file.write(data)
        file.flush()
        yield file


def _open_unnamed_file() -> IO[bytes]:
    with contextlib.suppress(AttributeError, OSError):
        return os.fdopen(os.memfd_create("image"), "w+b")
    return tempfile.TemporaryFile()


def _map_pixels(file: int, height: int, width: int, channels: int) -> npt.NDArray[np.uint8]:
    """Map the pixels in the file without copying them; they live as long as the array."""
    size = height * width * channels
    memory = mmap.mmap(file, HEADER_SIZE + size, flags=mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
    return np.frombuffer(memory, np.uint8, size, HEADER_SIZE).reshape(height, width, channels)
