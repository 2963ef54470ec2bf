"""The packages of the zip functions as one zip, below `python/`: `python -m layers.runtime.build --architecture arm64`.

The CDK command line runs this when it publishes the layer; it reads nothing but the path printed on stdout.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
PYTHON: Final = "3.13"
MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's architectures as wheels call them."""
GLIBC: Final = ("2_34", "2_28", "2_17")
"""What Amazon Linux 2023 runs."""


def install(folder: Path, architecture: str) -> None:
    """Put the wheels of Lambda's Python and processor into `folder`, whatever runs here.

    Raises:
        subprocess.CalledProcessError: pip failed; it has said why on stderr.
    """
    platforms = [f"--platform=manylinux_{version}_{MACHINES[architecture]}" for version in GLIBC]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms),
            *("--target", str(folder), "--requirement", str(REQUIREMENTS)),
        ],
        stdout=sys.stderr,
        check=True,
    )


def pack(folder: Path, target: Path) -> None:
    """A zip of `folder` below `python/`; the same files give the same bytes."""
    with ZipFile(target, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = ZipInfo(f"python/{path.relative_to(folder).as_posix()}")
            entry.external_attr = 0o644 << 16
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m layers.runtime.build")
    parser.add_argument("--architecture", choices=sorted(MACHINES), required=True)
    wanted = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="pictrace-layer-"))
    install(folder / "packages", wanted.architecture)
    pack(folder / "packages", folder / "layer.zip")
    print(folder / "layer.zip")


if __name__ == "__main__":
    main()
