"""The emulated half of `make image-check`, with a fake emulator that runs this machine's own Python."""

import hashlib
import platform
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from infra.container import check, emulation, probe
from infra.container.emulation import EmulationUnavailable, Emulator
from layers.wheels import PYTHON

Numbers = npt.NDArray[np.float32]
SCRIPT = f"""#!/bin/sh
test "$1 $2 $3" = "-cpu {emulation.PROCESSOR} -L" && test -x "$5" && root=$4 && shift 5
grep -q "CPU implementer" "$root/proc/cpuinfo" && exec {sys.executable} "$@"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that looks like the root of an arm64 system."""
    python = tmp_path / "root" / "usr" / "bin" / f"python{PYTHON}"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    return tmp_path / "root"


@pytest.fixture
def emulator(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    qemu = tmp_path / "bin" / "qemu-aarch64-static"
    qemu.parent.mkdir()
    qemu.write_text(SCRIPT, encoding="utf-8")
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", f"{qemu.parent}:/usr/bin:/bin")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return Emulator.find(root)


def test_a_missing_emulator_is_named(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmulationUnavailable, match="qemu-aarch64-static is not installed"):
        Emulator.find(root)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(EmulationUnavailable, match="this machine is aarch64"):
        Emulator.find(root)


def test_a_folder_without_an_arm64_python_is_named(emulator: Emulator, root: Path, tmp_path: Path) -> None:
    assert emulator.root == root
    with pytest.raises(EmulationUnavailable, match=f"elsewhere contains no arm64 Python {PYTHON}"):
        Emulator.find(tmp_path / "elsewhere")


def test_the_emulated_python_sees_an_arm64_processor(emulator: Emulator) -> None:
    done = emulator.run(["-c", "import os; print(os.environ['WORD'], 'AWS_PROFILE' in os.environ)"], {"WORD": "here"})
    assert done.stdout == "here False\n", done.stderr
    assert (emulator.root / "proc" / "cpuinfo").read_text(encoding="utf-8") == emulation.CPUINFO


def test_every_module_is_imported(emulator: Emulator, tmp_path: Path) -> None:
    package = tmp_path / "shipped" / "parcel"
    for name in ("__init__", "whole", "inner/__init__", "inner/deep", "other/__init__", "__main__"):
        (package / name).with_suffix(".py").parent.mkdir(parents=True, exist_ok=True)
        (package / name).with_suffix(".py").touch()
    (package / "__main__.py").write_text("raise SystemExit('run')", encoding="utf-8")
    (package / "other" / "broken.py").write_text("import no_such_library", encoding="utf-8")
    assert check.import_all(emulator, [package.parent], ["parcel"], ["parcel.other"]) == 4
    with pytest.raises(check.CheckFailed, match="No module named 'no_such_library'"):
        check.import_all(emulator, [package.parent], ["parcel"], [])


def test_the_probe_images_are_identical_on_every_machine() -> None:
    drawn = probe.draw()
    assert [image.shape for image in drawn] == [(150, 190, 3), (360, 480, 3)]
    assert [hashlib.sha256(image.tobytes()).hexdigest()[:16] for image in drawn] == [
        "7836ae2d65b91cae",
        "56a50e5d9ad7701c",
    ]


def test_a_difference_between_processors_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = np.linspace(0, 1, 8, dtype=np.float32)
    files = [tmp_path / "arm64.npz", tmp_path / "x86_64.npz"]

    def write(path: Path, features: Numbers, local: Numbers) -> None:
        np.savez(path, allow_pickle=False, **{"features of image 1": features, "local features of image 1": local})

    write(files[0], numbers, numbers)
    write(files[1], numbers, numbers + np.float32(1e-7))
    check.compare(*files)
    assert capsys.readouterr().out == (
        "  features of image 1: 32 bytes, the same\n  local features of image 1: 32 bytes, the same to 1e-06\n"
    )
    write(files[1], numbers + np.float32(1e-7), numbers)
    with pytest.raises(check.CheckFailed, match=r"^features of image 1: not what x86_64 computes$"):
        check.compare(*files)
