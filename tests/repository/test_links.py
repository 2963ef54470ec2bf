"""Relative links in Markdown point to existing files, and fragments to existing headings."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.repository.files import ROOT, tracked


def tokens(path: Path) -> Iterator[Token]:
    """Every block and inline token of a page, children included."""
    for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


@cache
def anchors(path: Path) -> frozenset[str]:
    """The fragments that GitHub makes of a page's headings: lower case, punctuation dropped, repeats numbered."""
    found: dict[str, int] = {}
    all_anchors: set[str] = set()
    for opening, heading in pairwise(tokens(path)):
        if opening.type == "heading_open":
            words = "".join(child.content for child in heading.children or ())
            anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            repeats = found[anchor] = found.get(anchor, -1) + 1
            all_anchors.add(f"{anchor}-{repeats}" if repeats else anchor)
    return frozenset(all_anchors)


def targets(path: Path) -> Iterator[str]:
    """The targets of a page's links and images, as written."""
    for token in tokens(path):
        for name in ("href", "src"):
            if isinstance(target := token.attrs.get(name), str):
                yield target


def broken_links(path: Path) -> list[str]:
    """The relative targets of a page that are not in the repository."""
    found = []
    for target in targets(path):
        link = urlsplit(target)
        if link.scheme or link.netloc:
            continue
        file = (path.parent / unquote(link.path)).resolve() if link.path else path
        exists = file.exists() and file.is_relative_to(ROOT)
        if not exists or (link.fragment and file.suffix == ".md" and link.fragment not in anchors(file)):
            found.append(target)
    return found


def test_the_pages_contain_links_to_check() -> None:
    assert sum(len(list(targets(path))) for path in tracked("*.md")) > 100


@pytest.mark.parametrize("path", tracked("*.md"), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_has_a_target(path: Path) -> None:
    assert broken_links(path) == []


def test_a_broken_link_is_detected(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b`: c\n\n[1](gone.md) [2](#nowhere) [3](#a-b-c) [4](https://example.org)\n", encoding="utf-8")
    assert broken_links(page)[:2] == ["gone.md", "#nowhere"]
    assert anchors(page) == {"a-b-c"}


def test_every_page_that_code_names_exists() -> None:
    files = tracked("*.py", "*.js", "*.yml", "Makefile", "NOTICE", "cdk.json", "functions/Dockerfile")
    named = {
        (page, str(path.relative_to(ROOT)))
        for path in files
        for page in re.findall(r"(?<![\w/.])docs/[\w./-]+\.(?:md|json|png)", path.read_text(encoding="utf-8"))
        if page != "docs/page.md"  # an example of a test
    }
    assert len(named) > 10
    assert sorted((page, file) for page, file in named if not (ROOT / page).is_file()) == []
