"""Install wheels for Lambda's Python and processor on any machine: `python -m layers.wheels --help`.

The functions' image, the zip functions' layer and `make image-check` all use it, so that the check installs what
ships.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

PYTHON: Final = "3.13"
"""The Python version of Lambda's runtime, the same for every function."""
MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64", "amd64": "x86_64"}
"""The names that wheels use for Lambda's architectures, and for `amd64`, Docker's name of x86_64."""
PLATFORMS: Final = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
"""Amazon Linux 2023 has glibc 2.34: https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html"""


def install(lock: Path, folder: Path, architecture: str, *, compiled: bool = False) -> None:
    """Install the wheels of a lock file into `folder`.

    Args:
        compiled: also write bytecode, which is useful only if this process runs on Python `PYTHON`.

    Raises:
        subprocess.CalledProcessError: pip failed; its message is on stderr.
    """
    platforms = [f"--platform={name}_{MACHINES[architecture]}" for name in PLATFORMS]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes"),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms),
            *(() if compiled else ("--no-compile",)),
            *("--target", str(folder), "--requirement", str(lock)),
        ],
        stdout=sys.stderr,
        check=True,
    )


def prune(folder: Path, listed: Path) -> None:
    """Remove the files and folders below `folder` that match a pattern in the file `listed`."""
    for pattern in listed.read_text(encoding="utf-8").split():
        for path in folder.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m layers.wheels")
    parser.add_argument("--architecture", choices=sorted(MACHINES), required=True)
    parser.add_argument("--requirements", type=Path, required=True, help="lock file of what to install")
    parser.add_argument("--target", type=Path, required=True, help="folder to install into")
    parser.add_argument("--prune", type=Path, help="file that lists what to remove after the installation")
    wanted = parser.parse_args(argv)
    install(wanted.requirements, wanted.target, wanted.architecture, compiled=True)
    if wanted.prune:
        prune(wanted.target, wanted.prune)


if __name__ == "__main__":
    main()
