"""`infra/local/Dockerfile`, carried out in folders: each stage, and the run that its entry point starts."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from infra.container import base_images
from infra.container.check import DOCKERFILE, LOCAL_DOCKERFILE
from infra.local.__main__ import parse_arguments
from layers import wheels
from shared.domain.model_card import ModelCard
from tests import dockerfiles
from tests.conftest import ROOT
from tests.dockerfiles import Stage
from tests.images import noise
from tests.processes import read_until_ready, stop

TEXT: Final = LOCAL_DOCKERFILE.read_text(encoding="utf-8")
STAGES: Final = dockerfiles.stages(TEXT)
FINAL: Final = STAGES[""]
DATA: Final = "/var/lib/pictrace"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that a build is sent: those of the working tree that the ignore file lets through."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    folder = tmp_path_factory.mktemp("context")
    ignored = LOCAL_DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8")
    for name in dockerfiles.sent(ROOT, [*names, "shared/__pycache__/a.pyc", ".build/model/model.json"], ignored):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@dataclass(frozen=True, slots=True)
class Container:
    """What runs in the final stage, with the packages of this environment instead of those for the image's Python."""

    image: Stage

    def start(self, command: list[str]) -> "subprocess.Popen[str]":
        assert command[0] == "python"
        data = self.image.environment["XDG_DATA_HOME"]
        environment = self.image.environment | {"XDG_DATA_HOME": f"{self.image.root}{data}", "PATH": os.environ["PATH"]}
        del environment["PYTHONPATH"]
        return subprocess.Popen(
            [sys.executable, *command[1:]],
            cwd=f"{self.image.root}{self.image.folder}",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: list[str]) -> tuple[int, str]:
        """What `docker exec` does; return the exit status and the output."""
        process = self.start(command)
        return (process.wait(timeout=60), process.stdout.read() if process.stdout else "")


@pytest.fixture(scope="module")
def container(context: Path, tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Container:
    roots = {name: tmp_path_factory.mktemp(name or "final") for name in STAGES}
    Stage(roots["code"]).build(STAGES["code"], context)
    (roots["packages"] / "packages").mkdir()
    shutil.copytree(model_dir, roots["networks"] / "networks" / "model")
    image = Stage(roots[""])
    image.build(FINAL, context, earlier=roots)
    return Container(image)


@pytest.fixture(scope="module")
def running(container: Container) -> Iterator[tuple[str, str, str]]:
    """The output of a container on a free port, its address and its key; it ends as `docker stop` ends it."""
    recorded = container.image.recorded
    process = container.start([*recorded["ENTRYPOINT"].command, "--port", "0"])
    said = read_until_ready(process)
    url, key = re.search(r"http://localhost:\d+", said), re.search(r"pt_[0-9a-f]{16}_[\w-]{43}", said)
    assert url, said
    assert key, said
    yield said, url[0], key[0]
    rest = stop(process, signal.Signals[recorded["STOPSIGNAL"].text])
    assert (process.returncode, rest.strip()) == (0, "stopped.")


def test_both_images_have_the_same_pinned_python() -> None:
    [image] = base_images.parse(TEXT)
    assert image.digest
    assert image in base_images.parse(DOCKERFILE.read_text(encoding="utf-8"))
    assert image.name.endswith(f"python:{wheels.PYTHON}-slim")


def test_a_build_is_sent_only_what_it_copies(context: Path) -> None:
    files = [path.relative_to(context) for path in context.rglob("*") if path.is_file()]
    assert {path.parts[0] for path in files} == {"functions", "infra", "layers", "shared"}
    assert {path.parts[1] for path in files if path.parts[0] == "infra"} == {
        *("__init__.py", "app.py", "local", "operate")
    }
    assert not [path for path in files if path.suffix == ".pyc" or "runtime" in path.parts]


def test_the_networks_are_exported_from_what_their_stage_has(context: Path, tmp_path: Path) -> None:
    """pip's commands are not run: `make image-check` installs the packages, and TensorFlow is here already."""
    stage = Stage(tmp_path)
    arguments = {"MODEL": "efficientnet-lite0"}
    stage.build(STAGES["networks"], context, arguments=arguments, skipped="pip ")
    card = ModelCard.read(tmp_path / "networks" / "model")
    assert (card.id, card.instead_of) == ("efficientnet-lite0-imagenet-f16", None)
    importing = "import infra.container.probe as probe; print(probe.import_all(['layers'], ['layers.runtime']))"
    path = os.pathsep.join([str(tmp_path / "build"), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run([sys.executable, "-P", "-c", importing], env=environment, check=True, cwd=tmp_path / "build")
    [faces] = [one.text for one in STAGES["networks"] if "layers.faces.export" in one.text]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\n$(FACES_DIR)/faces.json:")[2]
    for option in ("--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement layers/faces/packages.txt"):
        assert option in faces
        assert option in recipe.partition("\n\n")[0]


def test_the_run_in_a_container_requires_keys_and_keeps_its_data_in_the_volume(
    running: tuple[str, str, str], container: Container
) -> None:
    said, url, key = running
    assert "16 indexed" in said
    assert "CLOSED: every call on data needs a key" in said
    volume = Path(f"{container.image.root}{DATA}")
    assert container.image.recorded["VOLUME"].text == DATA
    assert f"data       {volume}, where everything is kept" in said
    assert volume.stat().st_mode & 0o777 == 0o700
    assert (volume / "pictrace.sqlite3").is_file()
    assert httpx.get(f"{url}/v1/stats").status_code == 401
    assert httpx.get(f"{url}/v1/stats", headers={"X-Api-Key": key}).json()["images"] == 16
    assert container.run(["python", "-m", "infra.local", "keys", "list"])[0] == 0


def test_forms_and_links_lead_to_the_published_port(running: tuple[str, str, str]) -> None:
    _, url, key = running
    published = {"Host": "localhost:9000", "X-Api-Key": key}
    body = {"filename": "a.png", "content_type": "image/png"}
    form = httpx.post(f"{url}/v1/uploads", json=body, headers=published).json()
    assert form["url"] == "http://localhost:9000/objects"
    sent = httpx.post(
        f"{url}/objects", data=form["fields"], files={"file": noise(7)}, headers={"Host": "localhost:9000"}
    )
    assert sent.status_code == 204
    deadline = time.monotonic() + 60
    upload = {"status": "pending"}
    while upload["status"] != "indexed":
        assert time.monotonic() < deadline, upload
        time.sleep(0.1)
        upload = httpx.get(f"{url}/v1/uploads/{form['upload_id']}", headers=published).json()
    content = httpx.get(f"{url}/v1/images/{upload['image_id']}/content", headers=published)
    assert content.headers["location"].startswith("http://localhost:9000/objects/")


def test_the_health_check_tells_a_run_from_none(running: tuple[str, str, str], container: Container) -> None:
    _, url, _ = running
    check = container.image.recorded["HEALTHCHECK"].command
    port = str(parse_arguments([]).port)
    assert container.image.recorded["EXPOSE"].text == port
    assert f"'localhost', {port}," in check[-1]
    assert container.run([*check[:-1], check[-1].replace(port, url.rpartition(":")[2])]) == (0, "")
    assert container.run([*check[:-1], check[-1].replace(port, "1")])[0] == 1


def test_the_run_is_no_user_with_rights_and_needs_no_shell(container: Container) -> None:
    recorded = container.image.recorded
    user, _, group = recorded["USER"].text.partition(":")
    assert min(int(user), int(group)) >= 1000
    assert f"--chown={recorded['USER'].text} /state /var/lib" in next(
        one.text for one in FINAL if "--chown" in one.text
    )
    assert {one.word for one in FINAL} & {"RUN", "ADD"} == set()  # nothing runs on the target's processor
    for path in Path(f"{container.image.root}/app").rglob("*"):
        wanted = 0o755 if path.is_dir() else 0o444
        assert path.stat().st_mode & wanted == wanted, path
