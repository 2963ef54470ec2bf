"""Tools of others read the contract: Bruno runs every call, TypeScript compiles types made from the document.

`make test-npm` installs them; without them these tests are skipped.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from pictrace import Client
from tests.conftest import PicTrace
from tests.contract import bruno, openapi
from tests.images import encoded, pixels

HERE: Final = Path(__file__).parent
TOOLS: Final = HERE / "node_modules" / ".bin"
needs_npm = pytest.mark.skipif(
    not (TOOLS / "bru").exists() or not shutil.which("node"), reason="run `make test-npm`, which installs them with npm"
)


def run(folder: Path, tool: str, *arguments: str) -> str:
    done = subprocess.run([TOOLS / tool, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_committed_collection_is_that_of_the_document() -> None:
    committed = {
        str(path.relative_to(bruno.FOLDER)): path.read_text(encoding="utf-8")
        for path in bruno.FOLDER.rglob("*")
        if path.suffix in (".bru", ".json")
    }
    assert committed == bruno.files(), "run `make schemas`"
    assert len([name for name in committed if name[0].isdigit()]) == sum(map(len, openapi.kept()["paths"].values()))


@needs_npm
def test_bruno_makes_every_call(running: PicTrace, client: Client, collection: str, tmp_path: Path) -> None:
    folder = shutil.copytree(bruno.FOLDER, tmp_path / "bruno")
    cat = pixels("chelsea.png")
    other, image = (client.add(encoded(cat, kind), collection=collection)["image_id"] for kind in (".png", ".jpg"))
    values = {"url": running.url, "collection": collection, "image_id": image, "other_id": other}
    variables = [word for name, value in values.items() for word in ("--env-var", f"{name}={value}")]
    run(folder, "bru", "run", "--env", "local", *variables, "--reporter-json", "report.json")
    [report] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    statuses = {result["name"]: result["response"]["status"] for result in report["results"]}
    assert len(statuses) == len([*folder.glob("[0-9]*.bru")])
    assert {status for status in statuses.values() if status not in (200, 201, 202, 204, 307)} <= {400, 404, 409, 422}
    assert statuses["Every score of two images"] == 200


@needs_npm
def test_typescript_types_are_generated_and_compile(tmp_path: Path) -> None:
    run(tmp_path, "openapi-typescript", str(openapi.KEPT), "--output", "api.d.ts")
    shutil.copy(HERE / "use.ts", tmp_path)
    run(tmp_path, "tsc", "--noEmit", "--strict", "--target", "es2022", "--moduleResolution", "bundler",
        "--module", "esnext", "use.ts")  # fmt: skip
