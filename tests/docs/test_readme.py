"""What the README shows of a search is what one answers."""

import json
import re
import runpy
from pathlib import Path
from typing import Final

import pytest

from infra.local import seed
from tests.conftest import PicTrace
from tests.docs.test_transcripts import CLOSE, MODEL
from tests.repository.files import ROOT

ANSWER: Final = re.compile(r'^\{\n {4}"matches": \[\n.*?(?=^```$)', re.MULTILINE | re.DOTALL)
NAME: Final = re.compile(r'"(\w+)":')
SCORE: Final = re.compile(r'"score": ([\d.]+)')


def test_the_readme_shows_what_a_search_answers(running: PicTrace, tmp_path: Path) -> None:
    if running.client.get("/v1/stats").json()["model"]["id"] != MODEL:
        pytest.skip(f"the answer was printed with {MODEL}")
    runpy.run_path(str(ROOT / "docs" / "examples" / "photos.py"))["main"](tmp_path)
    seed.index(running.url, [path for path in seed.sample_images() if path.name == "chelsea.png"], "readme")
    file = {"file": ("copy.jpg", (tmp_path / "copy.jpg").read_bytes())}
    answer = running.client.post("/v1/search", params={"k": 1, "collection": "readme"}, files=file).json()

    found = ANSWER.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found
    shown = found[0]
    printed = "".join(f"{line}\n" for line in json.dumps(answer, indent=4).splitlines()[: shown.count("\n")])
    assert NAME.findall(shown) == NAME.findall(printed)
    assert '"verdict": "near-duplicate"' in printed
    assert float(SCORE.findall(shown)[0]) == pytest.approx(answer["matches"][0]["score"], abs=CLOSE)
