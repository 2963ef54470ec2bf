"""The transcripts of the guides are what their commands print.

A transcript is a block of `console` in a page that names `examples/photos.py`. Its commands run in order, in a folder
with those photographs, against the running system. `PICTRACE_WRITE_TRANSCRIPTS=1` writes what they print to the pages.
"""

import os
import re
import runpy
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from pictrace.cli import main
from tests.conftest import PicTrace
from tests.repository.files import ROOT

BLOCK: Final = re.compile(r"(?<=^```console\n)\$ .*?(?=^```$)", re.MULTILINE | re.DOTALL)
NUMBER: Final = re.compile(r"\b\d\.\d{3}\b")
CLOSE: Final = 0.03
"""Scores may differ by this much between processors."""

MODEL: Final = "efficientnet-lite0-imagenet-f16"

PAGES: Final = sorted(
    path
    for path in (ROOT / "docs").rglob("*.md")
    if "examples/photos.py" in path.read_text(encoding="utf-8") and BLOCK.search(path.read_text(encoding="utf-8"))
)


def commands(block: str) -> list[str]:
    """The commands of a transcript, each with its continued lines."""
    return [found[0] for found in re.finditer(r"(?<=^\$ )(?:.*\\\n)*.*", block, re.MULTILINE)]


def printed(command: str) -> str:
    """What a command prints: `pictrace` in this process, anything else in a shell."""
    words = shlex.split(command.replace("\\\n", " "))
    if words[0] == "pictrace" and not set(words) & {"|", ">", ";"}:
        result = CliRunner().invoke(main, words[1:])
        return result.output if result.exit_code else result.stdout
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    return done.stdout + done.stderr


def transcript(block: str, run: Callable[[str], str] = printed) -> str:
    """The same commands with what they print now, without spaces at the ends of lines."""
    shown = "".join(f"$ {command}\n{run(command)}" for command in commands(block))
    return re.sub(r" +$", "", shown, flags=re.MULTILINE)


def same(shown: str, expected: str) -> bool:
    """Whether two texts are equal but for small differences of scores, and the order of equal lines."""
    shown, expected = (
        "\n".join(sorted(text.splitlines(), key=lambda line: NUMBER.sub("#", line))) for text in (shown, expected)
    )
    if NUMBER.sub("#", shown) != NUMBER.sub("#", expected):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(expected), strict=True)
    return all(abs(float(one) - float(other)) <= CLOSE for one, other in pairs)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_transcript_is_what_its_commands_print(
    page: Path, running: PicTrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if running.client.get("/v1/stats").json()["model"]["id"] != MODEL:
        pytest.skip(f"the transcripts were printed with {MODEL}")
    runpy.run_path(str(ROOT / "docs" / "examples" / "photos.py"))["main"](tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PICTRACE_URL", running.url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PICTRACE_API_KEY", raising=False)
    text = page.read_text(encoding="utf-8")
    now = BLOCK.sub(lambda found: transcript(found[0]), text)
    if os.environ.get("PICTRACE_WRITE_TRANSCRIPTS"):
        page.write_text(now, encoding="utf-8")
    assert same(now, text), now


def test_there_are_transcripts() -> None:
    assert len(PAGES) > 3


def test_only_small_differences_of_scores_are_overlooked() -> None:
    assert same("0.976 cat", "0.980 cat")
    assert not same("0.976 cat", "0.876 cat")
    assert not same("0.976 cat", "0.976 dog")
