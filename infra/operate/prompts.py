"""Safe output to a terminal, and confirmations."""

import sys


def printable(text: str) -> str:
    """Escape control characters, which could move the terminal's cursor: strangers choose the names of images."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def confirm(question: str) -> bool:
    """Ask for confirmation and return whether the user said yes."""
    if not sys.stdin.isatty():
        print("Nothing was done: there is no terminal to ask for confirmation. To confirm, add --yes.")
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
