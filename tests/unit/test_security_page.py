"""docs/explanation/security.md names only existing tests, and every permission of the functions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.infra.test_permissions import API, FETCH, INGEST

TESTS: Final = Path(__file__).parents[1]
PAGE: Final = (TESTS.parent / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")


def functions_of(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef))


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`([\w/]+/test_\w+\.py)::([\w:]+)`", PAGE)
    assert len(named) > 40
    missing = [f"{path}::{name}" for path, name in named if name not in set(functions_of(TESTS / path))]
    assert missing == []


def test_the_page_explains_exactly_the_permissions_that_exist() -> None:
    sections = re.split(r"^\| (ingest|api|fetch) may ", PAGE, flags=re.MULTILINE)
    for function, rights in (("ingest", INGEST), ("api", API), ("fetch", FETCH)):
        rows = sections[sections.index(function) + 1].split("\n\n")[0].splitlines()[2:]
        explained = set()
        for row in rows:
            actions = re.findall(r"`([\w:]+)`", row.split("|")[1])
            service = actions[0].split(":")[0]
            explained |= {action if ":" in action else f"{service}:{action}" for action in actions}
        assert explained == {action for action, _ in rights}
