"""The process that `sandbox` starts: it imports a decoder once, and forks a child for each image.

    python -m shared.vision.decode.fork_server CONTROL MODULE:FUNCTION MEMORY CPU_SECONDS SECONDS

CONTROL is an inherited socket; the process exits when its other end is closed. If MODULE has a function `warm_up`, it
is called once before the first fork.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.domain.errors import PictureRefused
from shared.vision.decode.sandbox import ANSWERED, HEADER_SIZE, OUT_OF_MEMORY, REPORT

Decoder = Callable[[bytes], Any]

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
_STATM: Final = Path("/proc/self/statm")
_OOM_SCORE: Final = Path("/proc/self/oom_score_adj")


def serve(control: socket.socket, decoder: Decoder, limits: tuple[int, int, float]) -> None:
    """Serve requests until the other end of `control` is closed.

    A request is one byte with two descriptors: a file that holds the image and receives the answer, and a pipe that
    receives a `REPORT`. One child is always forked in advance, so that no request waits for a fork.
    """
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    gc.freeze()  # a collection would write to pages that are shared with the children, and so copy them
    gc.disable()
    replies: dict[int, int] = {}
    spare: _Child | None = None
    while True:
        if spare is None and not replies:
            spare = _fork_child(decoder, limits, [control.fileno(), wake, woken])
        ready = select.select([control.fileno(), wake], [], [])[0]
        if wake in ready:
            os.read(wake, 1024)
            _reap(replies)
        if control.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            if not message:
                return
            while spare is None or not spare.send(descriptors):
                spare = _fork_child(decoder, limits, [control.fileno(), wake, woken, *replies.values(), *descriptors])
            job, replies[spare.pid] = descriptors
            os.close(job)
            spare = None


@dataclass(frozen=True, slots=True)
class _Child:
    """A process that waits for one image at the other end of `channel`."""

    pid: int
    channel: socket.socket

    def send(self, descriptors: list[int]) -> bool:
        """Send the child its image; return False if the child has died in the meantime."""
        with self.channel:
            try:
                return bool(socket.send_fds(self.channel, [b"1"], descriptors))
            except OSError:
                return False


def _fork_child(decoder: Decoder, limits: tuple[int, int, float], unneeded: list[int]) -> _Child:
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        for descriptor in (ours.fileno(), *unneeded):
            os.close(descriptor)
        _run_child(theirs, decoder, limits)
    theirs.close()
    return _Child(pid, ours)


def _reap(replies: dict[int, int]) -> None:
    """Reap dead children and report those that failed; one that succeeded reported itself, as exiting takes time."""
    with contextlib.suppress(ChildProcessError):
        while True:
            child, status, usage = os.wait4(-1, os.WNOHANG)
            if child == 0:
                return
            if child not in replies:
                continue  # it died before it received an image
            reply = replies.pop(child)
            if status:
                _report(reply, status, usage)
            os.close(reply)


def _report(reply: int, status: int, usage: resource.struct_rusage) -> None:
    with contextlib.suppress(OSError):  # nobody is waiting any more
        os.write(reply, REPORT.pack(status, usage.ru_maxrss * _RSS_UNIT))


def _run_child(channel: socket.socket, decoder: Decoder, limits: tuple[int, int, float]) -> None:
    """Wait for an image, decode it, write the answer to its file, and exit."""
    status = 1
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)
        memory, cpu_seconds, seconds = limits
        _apply_limits(memory, cpu_seconds)
        message, descriptors, _, _ = socket.recv_fds(channel, 1, 2)
        if not message:
            os._exit(0)  # the helper has exited
        signal.setitimer(signal.ITIMER_REAL, seconds)
        job, reply = descriptors
        data = os.pread(job, os.fstat(job).st_size, 0)
        try:
            image = decoder(data)
        except PictureRefused as refused:
            answer: dict[str, Any] = {"code": refused.code, "reason": refused.reason}
        else:
            answer = {name: getattr(image, name) for name in ANSWERED if hasattr(image, name)}
            answer["shape"] = image.rgb.shape
            _write_all(job, memoryview(image.rgb).cast("B"), HEADER_SIZE)
        _write_all(job, memoryview(json.dumps(answer).encode().ljust(HEADER_SIZE, b"\0")), 0)
        _report(reply, 0, resource.getrusage(resource.RUSAGE_SELF))
        status = 0
    except MemoryError:
        status = OUT_OF_MEMORY
    finally:
        os._exit(status)


def _apply_limits(memory: int, cpu_seconds: int) -> None:
    """Apply the limits to this process, and make it the first one that the kernel kills when memory runs out."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    if _STATM.exists():
        size = int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + memory, size + memory))
        with contextlib.suppress(OSError):
            _OOM_SCORE.write_text("1000", encoding="ascii")


def _write_all(file: int, content: memoryview, at: int) -> None:
    while content:
        written = os.pwrite(file, content, at)
        content, at = content[written:], at + written


def main(arguments: list[str]) -> None:
    control, decoder, memory, cpu_seconds, seconds = arguments
    module, _, function = decoder.partition(":")
    imported = importlib.import_module(module)
    found: Decoder = getattr(imported, function)
    getattr(imported, "warm_up", lambda: None)()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when this process ends
    if not _STATM.exists():
        sys.stderr.write("pictrace: this system cannot limit the memory that decoding uses\n")
    serve(socket.socket(fileno=int(control)), found, (int(memory), int(cpu_seconds), float(seconds)))


if __name__ == "__main__":
    main(sys.argv[1:])
