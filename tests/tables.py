"""Tables that tests print at the end of the run, in whichever process they ran."""

from collections.abc import Callable
from typing import Final

import pytest

Table = Callable[[str, str], None]

_MARK: Final = "table "


def table_writer(node: pytest.Item) -> Table:
    """A function that adds lines of text to the table with the given name."""

    def show(name: str, lines: str) -> None:
        node.add_report_section("call", f"{_MARK}{name}", lines)

    return show


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found: dict[str, list[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, lines in getattr(report, "sections", ()):
                title = name.removeprefix("Captured ").removesuffix(" call")
                if title.startswith(_MARK) and lines not in found.setdefault(title, []):
                    found[title].append(lines)
    for title, texts in found.items():
        terminalreporter.section(title.removeprefix(_MARK))
        for text in texts:
            terminalreporter.line(text)
