"""The version is defined once."""

import ast
import re
import tomllib

from functions.api.schemas.service import Health
from shared.version import VERSION
from tests.repository.files import ROOT, text, tracked


def strings(source: str) -> list[str]:
    """The string literals of a Python file."""
    return [
        node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and type(node.value) is str
    ]


def test_no_other_file_defines_the_version() -> None:
    files = [path for path in tracked("*.py") if VERSION in strings(path.read_text(encoding="utf-8"))]
    assert files == [ROOT / "shared" / "version.py"]
    assert "project" not in tomllib.loads(text("pyproject.toml"))
    assert '"version"' not in text("package.json")


def test_the_openapi_document_shows_the_version() -> None:
    assert Health.model_json_schema()["properties"]["version"]["examples"] == [VERSION]


def test_the_newest_release_in_the_changelog_is_the_version() -> None:
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == VERSION
    assert all(date for _, date in headings[1:])
