"""Build the layer of the zip functions, a zip of packages: `python -m layers.runtime.build --architecture arm64`.

The CDK command line runs this when it publishes the layer, and reads the path of the zip from stdout.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from layers.wheels import MACHINES, install

REQUIREMENTS: Final = Path(__file__).with_name("requirements.lock")


def pack(folder: Path, target: Path) -> None:
    """Zip `folder` below `python/`, readable by everyone; the same files always result in the same bytes."""
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
    install(REQUIREMENTS, folder / "packages", wanted.architecture)
    pack(folder / "packages", folder / "layer.zip")
    print(folder / "layer.zip")


if __name__ == "__main__":
    main()
