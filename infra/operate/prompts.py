"""Safe output to a terminal, and confirmations."""

import sys
from collections.abc import Iterator, Sequence
from typing import Final

MAX_SHOWN: Final = 20
"""Maximum number of entries of a list that a command prints."""


def printable(text: str) -> str:
    """Escape control characters, which could move the terminal's cursor: strangers choose the names of images."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(lines: Sequence[str]) -> Iterator[str]:
    """Yield the first `MAX_SHOWN` lines, and one that says how many more there are."""
    yield from lines[:MAX_SHOWN]
    if len(lines) > MAX_SHOWN:
        yield f"... and {len(lines) - MAX_SHOWN:,} more"


def confirm(question: str) -> bool:
    """Ask for confirmation and return whether the user said yes."""
    if not sys.stdin.isatty():
        print("Nothing was done: there is no terminal to ask for confirmation. To confirm, add --yes.")
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
