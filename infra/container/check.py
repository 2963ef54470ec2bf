"""Check what the images hold, without building them: `make image-check`."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infra.container import base_images, base_system, registry, symbols
from infra.container.emulation import EmulationUnavailable, Emulator
from infra.container.registry import Registry, RegistryError
from layers.wheels import install, prune

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKERFILE: Final = ROOT / "functions" / "Dockerfile"
LOCAL_DOCKERFILE: Final = ROOT / "infra" / "local" / "Dockerfile"
IMAGE: Final = ROOT / "functions" / "requirements.lock"
LAYER: Final = ROOT / "layers" / "runtime" / "requirements.lock"
LOCAL: Final = ROOT / "infra" / "local" / "requirements.lock"
PRUNED: Final = ROOT / "functions" / "prune.txt"
MACHINES: Final = {"arm64": "AArch64", "x86_64": "x64"}
"""Lambda's architectures, with the names that ELF files use for them."""
PROCESSOR_DEPENDENT: Final = ("local features",)
"""Values that NumPy sums in an order that differs between processors."""
TOLERANCE: Final = 1e-6


class CheckFailed(Exception):  # noqa: N818
    """A check failed; the message says why."""


def check(model_dir: Path, arm64_root: Path) -> int:
    """Run every check that is possible on this machine, and print the results.

    Returns:
        0 if each check passed or was skipped, else 1.
    """
    with tempfile.TemporaryDirectory(prefix="pictrace-image-") as name:
        folder = Path(name)
        results = [_check_digests(), *(_check_symbols(folder, architecture) for architecture in MACHINES)]
        results.append(_check_emulated(folder, model_dir, arm64_root))
    print("FAILED" if not all(results) else "passed")
    return int(not all(results))


@contextmanager
def _step(title: str) -> Iterator[list[bool]]:
    """Print the title of a check, and its failure or why it is skipped; the yielded list tells whether it passed."""
    print(f"\n{title}")
    passed = [True]
    try:
        yield passed
    except CheckFailed as error:
        passed[0] = False
        print(f"  FAILED: {error}")
    except (EmulationUnavailable, RegistryError) as error:
        print(f"  skipped: {error}")


def _check_digests() -> bool:
    with _step("Base images") as passed, registry.new_client() as client:
        files = (DOCKERFILE, LOCAL_DOCKERFILE)
        images = dict.fromkeys(image for file in files for image in base_images.parse(file.read_text(encoding="utf-8")))
        for image in images:
            print(f"  {image.name} {image.digest or 'WARNING: not pinned; run make image-pin'}")
        missing = [image.name for image in images if image.digest and not Registry(image.registry, client).has(image)]
        if missing:
            raise CheckFailed(f"the registry no longer has the digests of {', '.join(missing)}. Run make image-pin")
    return passed[0]


def _check_symbols(folder: Path, architecture: str) -> bool:
    with _step(f"Shared objects for {architecture}") as passed:
        packages = folder / architecture
        try:
            install(IMAGE, packages / "image", architecture)
            install(LAYER, packages / "layer", architecture)
            install(LOCAL, packages / "local", architecture)
        except subprocess.CalledProcessError as error:
            raise CheckFailed("pip could not install the packages; its message is above") from error
        prune(packages / "image", PRUNED)
        objects = symbols.read(packages)
        newest = symbols.newest_required(objects)
        print(f"  {len(objects)} shared objects; the newest versions that they need and the base system has:")
        for family, version in sorted(newest.items()):
            print(f"    {version:<18} {'.'.join(map(str, base_system.NEWEST[family]))}")
        apart = [[one for one in objects if one.path.parts[0] == part.name] for part in packages.iterdir()]
        problems = [str(requirement) for part in apart for requirement in symbols.missing(part)]
        problems += [f"{one.path} is for {one.machine}" for one in objects if one.machine != MACHINES[architecture]]
        if problems:
            raise CheckFailed("; ".join(problems))
    return passed[0]


def _check_emulated(folder: Path, model_dir: Path, arm64_root: Path) -> bool:
    with _step("Emulated arm64") as passed:
        emulator = Emulator.find(arm64_root)
        image, layer = folder / "arm64" / "image", folder / "arm64" / "layer"
        for function in ("api", "ingest"):
            count = import_all(emulator, [image], [f"functions.{function}", "shared"], ["shared.net"])
            print(f"  {function} imports its {count} modules")
        # Lambda's own Python has boto3, which the layer leaves out.
        count = import_all(emulator, [layer, image], ["functions.fetch", "shared.net"], [])
        print(f"  fetch imports its {count} modules")
        arguments = ["--model-dir", str(model_dir.resolve()), "--out"]
        _emulate(emulator, [image], [*arguments, str(folder / "arm64.npz")])
        here = [sys.executable, "-m", "infra.container.probe", *arguments, str(folder / "x86_64.npz")]
        subprocess.run(here, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        compare(folder / "arm64.npz", folder / "x86_64.npz")
    return passed[0]


def import_all(emulator: Emulator, paths: list[Path], packages: list[str], excluded: list[str]) -> int:
    without = ["--without", *excluded] if excluded else []
    return int(_emulate(emulator, paths, ["--import", *packages, *without]))


def _emulate(emulator: Emulator, paths: list[Path], arguments: list[str]) -> str:
    environment = {"PYTHONPATH": ":".join(map(str, [ROOT, *paths])), "OPENBLAS_NUM_THREADS": "1"}
    process = emulator.run(["-B", "-m", "infra.container.probe", *arguments], environment)
    if process.returncode:
        errors = process.stderr.strip()
        raise CheckFailed(
            errors.splitlines()[-1] if errors else f"the emulated Python exited with {process.returncode}"
        )
    return process.stdout


def compare(arm64: Path, x86_64: Path) -> None:
    import numpy as np

    with np.load(arm64) as emulated, np.load(x86_64) as native:
        different = []
        for name in native.files:
            there, here = emulated[name], native[name]
            result = "the same" if there.tobytes() == here.tobytes() else "DIFFERENT"
            if (
                result != "the same"
                and name.startswith(PROCESSOR_DEPENDENT)
                and np.allclose(there, here, rtol=0, atol=TOLERANCE)
            ):
                result = f"the same to {TOLERANCE}"
            print(f"  {name}: {here.nbytes} bytes, {result}")
            different += [name] if result == "DIFFERENT" else []
    if different:
        raise CheckFailed(f"{', '.join(different)}: not what x86_64 computes")
