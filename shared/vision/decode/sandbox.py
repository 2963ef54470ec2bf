"""Runs a decoder where it can die: in a child process for each image, with limits on memory and time.

A crash, an endless allocation or an endless loop inside a decoder goes past `try`. So a helper process
(`fork_server`) imports the decoder once and forks for each image; only the child can be lost. The helper has a
single thread, which makes forking safe; the processes that use it have many.
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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
import numpy.typing as npt

from shared.domain.errors import PictureRefused
from shared.domain.limits import MAX_DECODE_CPU_SECONDS, MAX_DECODE_MEMORY, MAX_DECODE_SECONDS, MIB

AT_ONCE: Final = 2
"""Images that one process has decoded at the same time: memory is limited for each of them."""

ATTEMPTS: Final = 2
"""So often an image is tried when the helper is lost, or when something outside kills the child."""

START_SECONDS: Final = 60
"""Time for the helper to start, which a decode may have to wait for."""

HEAD: Final = 4096
"""Bytes before the pixels in the file that a child fills: its answer as JSON. A page, so that pixels can be mapped."""

REPORT: Final = struct.Struct("<iq")
"""What the helper says of a child that ended: its wait status, and its peak memory in bytes."""

OUT_OF_MEMORY: Final = 3
"""Exit status of a child whose decoder raised MemoryError."""


class DecoderUnavailable(RuntimeError):  # noqa: N818
    """The helper process cannot be started, or does not answer: a fault of ours, never of an image."""


@dataclass(frozen=True, slots=True)
class Isolated:
    """What a decoder made of the bytes.

    Attributes:
        format: as the decoder names it.
        rgb: uint8, rows x columns x 3; backed by memory that no other process uses any more.
        width, height: of the image, as the decoder says.
    """

    format: str
    rgb: npt.NDArray[np.uint8]
    width: int
    height: int


class Sandbox:
    """A decoder in its own processes. Safe to share between threads.

    Args:
        decoder: `module:function` of a function from bytes to something with the attributes of `Isolated`.

    Attributes:
        peak: bytes of memory that the child which ended last had at most.
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
        self.peak = 0
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._helper: _Helper | None = None

    def warm(self) -> None:
        """Start the helper, which takes 0.1 s or more, without waiting for it."""
        with contextlib.suppress(DecoderUnavailable):  # the next image tries again, and tells
            self._started()

    def decode(self, data: bytes) -> Isolated:
        """What the decoder makes of `data`.

        Raises:
            PictureRefused: what the decoder raised, or `too_complex` or `decoder_failed` where its process ended.
            DecoderUnavailable: there is no helper, or the machine is too busy to decode.
        """
        with self._turns:
            for attempt in range(ATTEMPTS):
                with _job_file(data) as job:
                    helper = self._started()
                    report = helper.run(job.fileno(), self._seconds + START_SECONDS)
                    if report is None:
                        self._drop(helper)
                        continue
                    status, self.peak = report
                    if not _killed(status) or attempt == ATTEMPTS - 1:
                        return self._result(job.fileno(), status)
        raise DecoderUnavailable("the process that decodes images died, or did not answer")

    def close(self) -> None:
        """End the helper; the next image starts another."""
        if self._helper is not None:
            self._drop(self._helper)

    def _started(self) -> "_Helper":
        with self._lock:
            if self._helper is None:
                limits = (str(self._memory), str(self._cpu_seconds), str(self._seconds))
                try:
                    self._helper = _Helper([self._decoder, *limits])
                except OSError as error:
                    raise DecoderUnavailable("the process that decodes images does not start") from error
            return self._helper

    def _drop(self, helper: "_Helper") -> None:
        with self._lock:
            if self._helper is helper:
                self._helper = None
        helper.end()

    def _result(self, job: int, status: int) -> Isolated:
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            answer = json.loads(os.pread(job, HEAD, 0).rstrip(b"\0"))
            if "code" in answer:
                raise PictureRefused(answer["code"], answer["reason"])
            return Isolated(answer["format"], _mapped(job, *answer["shape"]), answer["width"], answer["height"])
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == OUT_OF_MEMORY:
            raise PictureRefused("too_complex", f"Decoding needs more than {self._memory // MIB} MB of memory.")
        if _killed(status):
            raise PictureRefused("too_complex", "The system ended the decoder twice, as it does when memory is short.")
        ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if ended_by == signal.SIGXCPU:
            raise PictureRefused("too_complex", f"Decoding takes more than {self._cpu_seconds} s of processor time.")
        if ended_by == signal.SIGALRM:
            # It had not used its processor time: the machine is busy, and an image must not be lost for that.
            raise DecoderUnavailable(f"the decoder did not get its processor time within {self._seconds:g} s")
        how = signal.Signals(ended_by).name if ended_by else f"exit status {os.waitstatus_to_exitcode(status)}"
        raise PictureRefused("decoder_failed", f"The decoder crashed on the file ({how}).")


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
                env=_environment(),
            )

    def run(self, job: int, patience: float) -> tuple[int, int] | None:
        """Wait status and peak memory of a child that worked on `job`; None where the helper is lost."""
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
            if not waiting.poll(patience * 1000):
                return None
            report = os.read(answer, REPORT.size)
        finally:
            os.close(answer)
        return REPORT.unpack(report) if len(report) == REPORT.size else None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._control.close()


def _environment() -> dict[str, str]:
    """This process' environment without credentials, which a decoder needs not have, and without threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


def _killed(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@contextlib.contextmanager
def _job_file(data: bytes) -> Iterator[IO[bytes]]:
    """A file without a name that holds `data`, in memory where the system can; /dev/shm need not be there."""
    with _nameless() as file:
        file.write(data)
        file.flush()
        yield file


def _nameless() -> IO[bytes]:
    with contextlib.suppress(AttributeError, OSError):
        return os.fdopen(os.memfd_create("image"), "w+b")
    return tempfile.TemporaryFile()


def _mapped(file: int, height: int, width: int, channels: int) -> npt.NDArray[np.uint8]:
    """The pixels in the file, without a copy; they live as long as the array."""
    size = height * width * channels
    memory = mmap.mmap(file, HEAD + size, flags=mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
    return np.frombuffer(memory, np.uint8, size, HEAD).reshape(height, width, channels)
