"""The map in CONTRIBUTING.md matches the source tree."""

import re

from tests.repository.files import ROOT, text, tracked

PAGE = text("CONTRIBUTING.md")
NAMED = {
    name for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", PAGE) if "/" in name and not name.startswith(".venv")
}


def test_every_path_that_the_page_names_exists() -> None:
    assert len(NAMED) > 40
    assert [name for name in sorted(NAMED) if not (ROOT / name).exists()] == []


def test_every_package_is_on_the_map() -> None:
    rooms = {
        path.parent.relative_to(ROOT)
        for path in tracked("functions/**/__init__.py", "infra/**/__init__.py", "shared/**/__init__.py")
    }
    inside = {room for room in rooms if room.parts[:3] == ("functions", "api", "routes") or len(room.parts) == 1}
    assert len(rooms) > 10
    assert [str(room) for room in sorted(rooms - inside) if f"{room}/" not in NAMED] == []


def test_every_kind_of_test_is_named() -> None:
    kinds = {f"tests/{path.parent.name}" for path in tracked("tests/*/__init__.py") if path.parents[1].name == "tests"}
    assert len(kinds) > 8
    assert sorted(kinds - NAMED) == []


def test_every_make_target_that_the_page_names_exists() -> None:
    made = set(re.findall(r"`make ([a-z-]+)`", PAGE))
    assert made <= set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
