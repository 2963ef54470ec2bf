"""Lambda's user can read every deployed file, whatever the umask under which it was cloned and synthesised.

Lambda requires read permission for everyone: https://repost.aws/knowledge-center/lambda-deployment-package-errors
"""

import os
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
from tests import dockerfiles
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
    stages = dockerfiles.stages((ROOT / DOCKERFILE).read_text(encoding="utf-8"))
    copying = [(name, one) for name, body in stages.items() for one in body if one.word == "COPY"]
    assert {name for name, one in copying if "--from" not in one.text} == {"model", "packages", "code"}
    for number, image in enumerate(synthesised.images.values()):
        context, built = synthesised.folder / image["source"]["directory"], tmp_path / str(number)
        assert _mode(context / "shared" / "settings.py") == 0o600
        dockerfiles.Stage(built).build(stages["code"], context, arguments=image["source"]["dockerBuildArgs"])
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


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _readable(path: Path) -> bool:
    wanted = 0o755 if path.is_dir() else 0o444
    return _mode(path) & wanted == wanted
