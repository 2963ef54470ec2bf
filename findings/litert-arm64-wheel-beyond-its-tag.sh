#!/bin/sh
# A wheel's platform tag names the oldest glibc that it runs on, and one takes it to bound the C++ library too:
# auditwheel's policy for that tag allows no symbol of libstdc++ above a certain version. The arm64 wheel of
# ai-edge-litert 2.3.0 needs GLIBCXX_3.4.30, which GCC 12 brought: a system whose glibc is new enough for the tag but
# whose libstdc++ is GCC 11's, such as Amazon Linux 2023, installs it and cannot import it. The x86_64 wheel of the same
# version and the arm64 wheel of 2.1.0 need less.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pyelftools==0.33"
get() {  # version, machine
    for glibc in 2_17 2_27 2_28 2_31 2_34 2_35; do set -- "$@" --platform "manylinux_${glibc}_$2"; done
    version=$1 machine=$2; shift 2
    "$folder/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 3.13 --implementation cp "$@" --dest "$folder/$version-$machine" "ai-edge-litert==$version"
}
get 2.3.0 aarch64
get 2.3.0 x86_64
get 2.1.0 aarch64
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import io, re, sys, zipfile
from pathlib import Path
from elftools.elf.elffile import ELFFile

def newest(wheel):
    found = (0,)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".so" not in name:
                continue
            section = ELFFile(io.BytesIO(archive.read(name))).get_section_by_name(".gnu.version_r")
            for _, versions in section.iter_versions() if section else ():
                for version in versions:
                    match = re.fullmatch(r"GLIBCXX_([\d.]+)", version.name)
                    if match:
                        found = max(found, tuple(map(int, match[1].split("."))))
    return found

seen = {}
for folder in sorted(Path(sys.argv[1]).glob("2.*")):
    (wheel,) = folder.glob("*.whl")
    seen[folder.name] = newest(wheel)
    print(wheel.name, "needs GLIBCXX_" + ".".join(map(str, seen[folder.name])))
if not seen["2.3.0-aarch64"] > (3, 4, 29) >= max(seen["2.3.0-x86_64"], seen["2.1.0-aarch64"]):
    raise SystemExit("changed")
PYTHON
