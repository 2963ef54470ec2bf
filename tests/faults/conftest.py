"""The table of faults that the run prints."""

from dataclasses import dataclass
from typing import Final

import pytest


@dataclass
class Row:
    """One kind of fault: times it was tried, deaths and retries that it caused, and what was lost or half done."""

    tried: int = 0
    deaths: int = 0
    again: int = 0
    lost: int = 0
    half: int = 0


ROWS: Final[dict[str, Row]] = {}


def row(fault: str) -> Row:
    return ROWS.setdefault(fault, Row())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS:
        return
    terminalreporter.section("faults")
    width = max(map(len, ROWS))
    terminalreporter.line(f"{'fault':{width}}  tried  deaths  came again  lost  half-visible")
    for fault, found in ROWS.items():
        terminalreporter.line(
            f"{fault:{width}}  {found.tried:5}  {found.deaths:6}  {found.again:10}  {found.lost:4}  {found.half:12}"
        )
