"""The languages of the page and of the README: `python -m tests.languages` says which translations are behind.

Each translation names the revision of the English text that it follows, a hash of it. After translating what has
changed, `python -m tests.languages --mark` writes the new revision to all of them.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
WEB: Final = ROOT / "functions" / "api" / "web"
PAGES: Final = (WEB / "index.html", WEB / "shared.html")
TEXT: Final = WEB / "text.js"
README: Final = ROOT / "README.md"
READMES: Final = ROOT / "docs" / "readme"
LANGUAGES: Final = ("de", "ja", "ko", "ru", "zh")
FOLLOWS: Final = re.compile(r"(?<=follows )[0-9a-f]{12}")
ATTRIBUTES: Final = ("placeholder", "aria-label", "title")
LETTERS: Final = re.compile(r"[A-Za-z]{2}")
NAMES: Final = re.compile(r"PicTrace|API|JPEG( XL)?|[A-Z]+[0-9]?|WebP|/openapi\.json|pt_…")
"""What is the same in every language."""


class PageTexts(HTMLParser):
    """The texts and attributes of the pages that people read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []
        for page in PAGES:
            self._inside = []
            self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        for name, value in attrs:
            if name in ATTRIBUTES:
                self._add(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            del self._inside[len(self._inside) - 1 - self._inside[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if "head" not in self._inside and "noscript" not in self._inside:
            self._add(data)

    def _add(self, data: str) -> None:
        words = " ".join(data.split())
        if LETTERS.search(words) and not NAMES.fullmatch(words) and words not in self.found:
            self.found.append(words)


def page_texts() -> list[str]:
    """The English texts of the pages as they are served, each once."""
    return PageTexts().found


def translations() -> Iterator[tuple[Path, str]]:
    """The file of each translation, and the revision of the English text that it should follow."""
    page, readme = (
        _revision(TEXT.read_text(encoding="utf-8"), *page_texts()),
        _revision(README.read_text(encoding="utf-8")),
    )
    for language in LANGUAGES:
        yield WEB / f"strings.{language}.js", page
        yield READMES / f"{language}.md", readme


def _revision(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def behind() -> list[Path]:
    """The translations that follow an earlier revision."""
    return [path for path, wanted in translations() if _followed(path) != wanted]


def _followed(path: Path) -> str:
    found = FOLLOWS.search(path.read_text(encoding="utf-8"))
    return found[0] if found else ""


def mark() -> None:
    """Write to each translation that it follows the present text."""
    for path, wanted in translations():
        path.write_text(FOLLOWS.sub(wanted, path.read_text(encoding="utf-8"), count=1), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.languages", description=__doc__)
    parser.add_argument("--mark", action="store_true", help="all translations follow the present English text")
    parser.add_argument("--list", action="store_true", help="print the English texts of the page")
    wanted = parser.parse_args()
    if wanted.list:
        print("\n".join(page_texts()))
        return 0
    if wanted.mark:
        mark()
    late = behind()
    for path, revision in translations():
        state = f"behind: it follows {_followed(path)}, English is {revision}" if path in late else "current"
        print(f"{path.relative_to(ROOT)}: {state}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
