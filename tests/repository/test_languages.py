"""Each language has every string of the page, and says the same numbers and names."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.languages import LANGUAGES, READMES, WEB, behind, page_texts, translations
from tests.repository.files import ROOT, text

Strings = dict[str, Any]


def node() -> str | None:
    own = ROOT / ".venv" / "bin" / "node"
    return shutil.which("node") or (str(own) if own.exists() else None)


@pytest.fixture(scope="module")
def strings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Strings]:
    """The strings by language, as `strings.mjs` prints them."""
    command = node()
    if not command:
        pytest.skip("there is no node, which requirements.lock installs")
    folder = shutil.copytree(WEB, tmp_path_factory.mktemp("web") / "web")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    script = Path(__file__).with_name("strings.mjs")
    done = subprocess.run([command, script, folder, *LANGUAGES], capture_output=True, text=True, check=True)
    found: dict[str, Strings] = json.loads(done.stdout)
    return found


def flat(found: Strings, name: str = "") -> dict[str, Any]:
    """The strings by dotted name; of a function, how many arguments it takes and what it says."""
    if "said" in found or "arguments" in found:
        return {name: found}
    flattened: dict[str, Any] = {}
    for key, value in found.items():
        dotted = f"{name}.{key}".lstrip(".")
        flattened |= flat(value, dotted) if isinstance(value, dict) else {dotted: value}
    return flattened


def numbers(sentence: str) -> list[str]:
    return sorted(set(re.findall(r"\d+(?:[.,]\d+)?", sentence.replace(",", "."))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated(strings: dict[str, Strings], language: str) -> None:
    """A new string of `text.js` needs one in each `strings.<language>.js`."""
    english, own = flat(strings["en"]["text"]), flat(strings[language]["text"])
    assert own.keys() ^ english.keys() == set()
    assert all(value or not english[name] for name, value in own.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_page_is_translated(strings: dict[str, Strings], language: str) -> None:
    """A new text of `index.html` or `shared.html` needs a line in `page` of each `strings.<language>.js`."""
    assert set(strings[language]["page"]) ^ set(page_texts()) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_has_the_same_numbers(strings: dict[str, Strings], language: str) -> None:
    """Called with the same arguments."""
    english, own = flat(strings["en"]["text"]), flat(strings[language]["text"])
    for name, value in english.items():
        if not isinstance(value, dict):
            continue
        assert own[name]["arguments"] == value["arguments"], name
        for sample, (said, expected) in enumerate(zip(own[name]["said"], value["said"], strict=True)):
            assert not re.search("undefined|NaN|object", said), (name, said)
            if sample == 0:
                assert numbers(said) == numbers(expected), (name, said, expected)


def test_every_translation_names_the_revision_that_it_follows() -> None:
    for path, wanted in translations():
        assert re.search(r"follows [0-9a-f]{12}", path.read_text(encoding="utf-8")), path
        assert len(wanted) == 12
    assert set(behind()) <= {path for path, _ in translations()}


def test_a_changed_text_leaves_its_translations_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = tmp_path / "README.md"
    changed.write_text(text("README.md") + "\nMore.\n", encoding="utf-8")
    monkeypatch.setattr("tests.languages.README", changed)
    assert {path for path in behind() if path.parent == READMES} == {READMES / f"{name}.md" for name in LANGUAGES}
