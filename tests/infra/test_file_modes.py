"""Lambda's user can read every deployed file, whatever the umask under which it was cloned and synthesised.

Lambda requires read permission for everyone: https://repost.aws/knowledge-center/lambda-deployment-package-errors
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from infra.stack.assets import DOCKERFILE
from layers.runtime.build import pack
from tests.infra.assembly import Assembly

ROOT: Final = Path(__file__).parents[2]
UMASK: Final = 0o077


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The assembly of a clone; both were created under `UMASK`."""
    folder = tmp_path_factory.mktemp("cloned")
    clone = folder / "clone"
    _under_umask(["git", "clone", "--quiet", "--local", str(ROOT), str(clone)], folder)
    for path in _changed_paths():
        (clone / path).unlink(missing_ok=True)
        if (ROOT / path).is_file():
            written = 'mkdir -p "$(dirname "$2")" && cat "$1" > "$2"'
            _under_umask(["sh", "-c", written, "-", str(ROOT / path), path], clone)
    assert _mode(clone / "shared" / "settings.py") == 0o600
    _under_umask([sys.executable, "-c", "from infra import app; app.synthesise(app.Path('cdk.out'))"], clone)
    return Assembly.read(clone / "cdk.out")


def test_every_file_in_the_zips_is_readable_by_lambda(synthesised: Assembly) -> None:
    """The CDK command line zips the files of a folder with their modes, but not its subfolders as entries."""
    zips = [synthesised.folder / file["source"]["path"] for file in _zipped(synthesised)]
    assert [path.name for asset in zips for path in (asset / "functions").iterdir() if path.is_dir()] == ["fetch"]
    assert {_mode(path) for asset in zips for path in asset.rglob("*") if path.is_file()} == {0o644}


def test_every_file_in_the_image_is_readable_by_lambda(synthesised: Assembly, tmp_path: Path) -> None:
    """Run each instruction of the stage `code`; nothing else from the build context reaches the image."""
    stage = _stages()["code"]
    assert {name for name, body in _stages().items() if re.search(r"^COPY (?!--from)", body, re.MULTILINE)} == {
        *("model", "packages", "code")
    }
    for number, image in enumerate(synthesised.images.values()):
        context, built = synthesised.folder / image["source"]["directory"], tmp_path / str(number)
        assert _mode(context / "shared" / "settings.py") == 0o600
        _build(stage, context, built, image["source"]["dockerBuildArgs"]["FUNCTION"])
        everything = [built / "code", built / "next_model", *built.rglob("*/**/*")]
        assert [path for path in everything if path.suffix == ".pyc"]
        assert [path for path in everything if not _readable(path)] == []


def test_every_file_in_the_layer_is_readable_by_lambda(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "module.py").touch(mode=0o600)
    pack(tmp_path / "packages", tmp_path / "layer.zip")
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        assert [oct(entry.external_attr >> 16) for entry in archive.infolist()] == ["0o644"]


def _zipped(assembly: Assembly) -> Iterable[dict[str, dict[str, str]]]:
    return [file for file in assembly.files.values() if file["source"].get("packaging") == "zip"]


def _under_umask(command: list[str], folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        command, cwd=folder, umask=UMASK, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _changed_paths() -> list[str]:
    """The paths that differ from the last commit, so that the working tree is tested."""
    command = ["git", "-C", str(ROOT), "ls-files", "--modified", "--deleted", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    staged = ["git", "-C", str(ROOT), "diff", "--name-only", "--no-renames", "HEAD"]
    return sorted({*listed, *subprocess.run(staged, capture_output=True, text=True, check=True).stdout.splitlines()})


def _stages() -> dict[str, str]:
    text = (ROOT / DOCKERFILE).read_text(encoding="utf-8").replace("\\\n", " ")
    return dict(re.findall(r"^FROM .*? AS (\S+)\n(.*?)(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL))


def _build(stage: str, context: Path, target: Path, function: str) -> None:
    """Execute the instructions with `target` as the root of the file system."""
    for line in stage.splitlines():
        match line.replace("${FUNCTION}", function).split(maxsplit=1):
            case ["COPY", paths]:
                *sources, folder = paths.split()
                for source in (path for pattern in sources for path in sorted(context.glob(pattern.rstrip("/")))):
                    _copy(source, target / folder.lstrip("/"), into=folder.endswith("/") and source.is_file())
            case ["RUN", command]:
                command = re.sub(r"(?<= )/(?=\w)", f"{target}/", command.replace("python ", f"{sys.executable} "))
                subprocess.run(["sh", "-c", f"umask 022; {command}"], check=True)
            case ["ARG" | "#", _] | []:
                pass
            case _:
                raise AssertionError(f"cannot do {line!r}")


def _copy(source: Path, target: Path, *, into: bool) -> None:
    """Copy as `COPY` does: keep file modes, and create missing folders with mode 755."""
    if into:
        target /= source.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _readable(path: Path) -> bool:
    wanted = 0o755 if path.is_dir() else 0o444
    return _mode(path) & wanted == wanted
