"""The order of the pages."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Start": {
        "index.md": "All guides",
        "project/readme.md": "PicTrace in short",
        "guides/tutorial.md": "Tutorial",
        "guides/local-run.md": "A local run",
        "guides/without-make.md": "Without make, in a container",
        "guides/using-the-page.md": "Using the page",
        "guides/python-client.md": "Python client and command line",
        "explanation/limits.md": "Honest limits",
    },
    "How to": {
        "guides/find-reposts.md": "Find reposts of my pictures",
        "guides/clean-up-a-library.md": "Clean up a photo library",
        "guides/moderate-uploads.md": "Moderate uploads against a block list",
        "guides/match-product-photos.md": "Match product photos",
        "guides/moving-from-other-tools.md": "Move from other tools",
        "guides/exchange-of-hashes.md": "Exchange hashes with peers",
        "guides/connect-aws.md": "Connect S3, Step Functions, EventBridge",
        "guides/sending-images.md": "Send images",
        "guides/images-by-url.md": "Images by URL",
        "guides/existing-buckets.md": "Index an existing bucket",
        "guides/receiving-events.md": "Receive events",
        "guides/moving-a-collection.md": "Move a collection",
    },
    "Operate": {
        "guides/deployment.md": "Deploy",
        "guides/operations.md": "Operations",
        "guides/access-control.md": "Access control",
        "guides/upgrades.md": "Upgrades and ways back",
        "guides/changing-the-model.md": "Change the model",
    },
    "Reference": {
        "reference/api.md": "The API",
        "reference/calls.md": "Every call",
        "reference/types.md": "Types",
        "reference/contract.md": "The contract, other languages",
        "reference/python.md": "Python client",
        "reference/models.md": "Models",
        "reference/stored-data.md": "Stored data",
    },
    "How it works": {
        "explanation/architecture.md": "Architecture",
        "explanation/how-ssim.md": "SSIM",
        "explanation/how-orb.md": "ORB",
        "explanation/how-resnet50.md": "ResNet50",
        "explanation/how-they-combine.md": "All of them together",
        "explanation/ranking.md": "Ranking",
        "explanation/duplicates.md": "Near-duplicates and quality",
        "explanation/event-ordering.md": "Event ordering",
        "explanation/fault-tolerance.md": "Fault tolerance",
        "explanation/hostile-input.md": "Hostile input",
        "explanation/security.md": "Security",
    },
    "Languages": {
        "readme/de.md": "Deutsch",
        "readme/ja.md": "日本語",
        "readme/ko.md": "한국어",
        "readme/ru.md": "Русский",
        "readme/zh.md": "中文",
    },
}
"""The titles of pages by their place on the site, in sections. Others follow, in the sections of `FOLDERS`."""

FOLDERS: Final[Mapping[str, str]] = {
    "guides": "How to",
    "reference": "Reference",
    "explanation": "How it works",
    "measurements": "Measurements",
    "decisions": "Decisions",
    "development": "Project",
    "project": "Project",
    "readme": "Languages",
}


def sections(pages: Path) -> dict[str, dict[str, str]]:
    """Every page below `pages`, with its title, in sections."""
    found = {name: dict(entries) for name, entries in SECTIONS.items()}
    listed = {place for entries in found.values() for place in entries}
    for path in sorted(pages.rglob("*.md")):
        place = path.relative_to(pages).as_posix()
        if place not in listed:
            found.setdefault(FOLDERS[place.split("/")[0]], {})[place] = _title(path)
    return found


def as_toml(found: Mapping[str, Mapping[str, str]]) -> str:
    """The navigation as Zensical's setting."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield "nav = ["
    for name, entries in found.items():
        yield f'  {{ "{name}" = ['
        yield from (f'    {{ "{title}" = "{place}" }},' for place, title in entries.items())
        yield "  ] },"
    yield "]"


def _title(path: Path) -> str:
    """The first heading of a page, as plain text."""
    heading = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return re.sub(r'[`"\\]', "", heading[1]) if heading else path.stem
