"""What commands say to a terminal and ask there."""

import sys


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor: strangers name the images."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def confirm(question: str) -> bool:
    """Whether somebody who was asked said yes."""
    if not sys.stdin.isatty():
        print("Nothing was done: there is nobody to ask. Say --yes.")
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
