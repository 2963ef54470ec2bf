"""Gather the pages of the site, with links that hold there."""

import posixpath
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

ROOT: Final = Path(__file__).resolve().parents[2]

ELSEWHERE: Final[Mapping[str, str]] = {
    "README.md": "project/readme.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "RELEASING.md": "project/releasing.md",
    ".github/SECURITY.md": "project/security-policy.md",
    ".github/CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
    "clients/python/README.md": "project/client.md",
    "docs/README.md": "index.md",
}
"""Pages whose place on the site is not that in `docs/`."""

LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
CODE: Final = re.compile(r"^(`{3,}).*?^\1\s*$|`+[^`\n]+`+(?!\])", re.MULTILINE | re.DOTALL)


def pages() -> dict[str, str]:
    """The place on the site of each page, by its path in the repository."""
    found = {name: place for name, place in ELSEWHERE.items() if (ROOT / name).is_file()}
    for path in sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "bench" / "results").glob("*.md")]):
        name = path.relative_to(ROOT).as_posix()
        if name not in found:
            found[name] = name.removeprefix("docs/") if name.startswith("docs/") else f"measurements/{name[6:]}"
    return found


def gather(target: Path) -> None:
    """Write every page, and every file that a page links, to `target`."""
    places = pages()
    for name, place in places.items():
        text = rewritten(name, (ROOT / name).read_text(encoding="utf-8"), places, target)
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        (target / place).write_text(text, encoding="utf-8")


def rewritten(name: str, text: str, places: Mapping[str, str], target: Path) -> str:
    """The text of a page with links that are relative to its place on the site. Linked files are copied to `target`.

    Links to folders of code are dropped, and their text stays.
    """
    here = posixpath.dirname(places[name])

    def link(found: re.Match[str]) -> str:
        image, label, destination = found.groups()
        parts = urlsplit(destination)
        label = LINK.sub(link, label)
        if parts.scheme or not parts.path:
            return f"{image}[{label}]({destination})"
        linked = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
        if (ROOT / linked).is_dir() or not (ROOT / linked).exists():
            return label
        place = places.get(linked) or _copied(linked, target)
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        return f"{image}[{label}]({posixpath.relpath(place, here or '.')}{fragment})"

    return _outside_code(text, lambda prose: LINK.sub(link, prose))


def _copied(name: str, target: Path) -> str:
    """Copy a file of the repository to the site, and return its place there."""
    place = name.removeprefix("docs/") if name.startswith("docs/") else f"files/{name}"
    (target / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / name, target / place)
    return place


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change the prose of a page, and neither its blocks of code nor code in its lines."""
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[0])
        return f"\0{len(held) - 1}\0"

    return re.sub(r"\0(\d+)\0", lambda found: held[int(found[1])], change(CODE.sub(hold, text)))
