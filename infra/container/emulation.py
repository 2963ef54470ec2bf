"""Run arm64 Python on an x86_64 machine, with QEMU's user-mode emulation and a folder that contains an arm64 system.

docs/development/container-image.md describes how to create that folder. The machine itself executes nothing in it, and
`binfmt_misc` is not needed.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from layers.wheels import PYTHON

QEMU: Final = ("qemu-aarch64-static", "qemu-aarch64")
PROCESSOR: Final = "neoverse-n1"
"""The core of Graviton2, on which Lambda's arm64 functions run: https://aws.amazon.com/ec2/graviton/"""
CPUINFO: Final = """\
processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
"""
"""/proc/cpuinfo of this processor. Libraries choose their kernels by it, and would otherwise read the machine's own."""


class EmulationUnavailable(RuntimeError):  # noqa: N818
    """Something that emulation needs is missing; the message says what."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """How to run an arm64 Python.

    Attributes:
        qemu: path of the emulator.
        root: the folder with the arm64 system.
    """

    qemu: str
    root: Path

    @classmethod
    def find(cls, root: Path) -> Self:
        """Return an emulator for the arm64 system in `root`.

        Raises:
            EmulationUnavailable: the machine is not x86_64, or QEMU or the arm64 system is missing.
        """
        if platform.machine() != "x86_64":
            raise EmulationUnavailable(f"this machine is {platform.machine()}; arm64 is emulated on x86_64 only")
        qemu = next((found for name in QEMU if (found := shutil.which(name))), None)
        if qemu is None:
            raise EmulationUnavailable(f"{QEMU[0]} is not installed (Debian's package qemu-user-static)")
        if not (root / "usr" / "bin" / f"python{PYTHON}").exists():
            raise EmulationUnavailable(
                f"{root} contains no arm64 Python {PYTHON} (see docs/development/container-image.md)"
            )
        return cls(qemu, root)

    def run(self, arguments: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments; it sees this machine's files where the arm64 system has none."""
        cpuinfo = self.root / "proc" / "cpuinfo"
        if not cpuinfo.exists():
            cpuinfo.parent.mkdir(exist_ok=True)
            cpuinfo.write_text(CPUINFO, encoding="utf-8")
        python = self.root / "usr" / "bin" / f"python{PYTHON}"
        return subprocess.run(
            [self.qemu, "-cpu", PROCESSOR, "-L", str(self.root), str(python), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
