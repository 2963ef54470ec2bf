"""The table of injected faults that is printed at the end of the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.tables import table_writer


@dataclass
class Row:
    """One kind of fault: how often it was tried, the deaths and redeliveries that it caused, and its damage.

    Attributes:
        lost: images that have an object but no record.
        half_visible: records without a signature or a source, and remains of removed images.
    """

    tried: int = 0
    deaths: int = 0
    redelivered: int = 0
    lost: int = 0
    half_visible: int = 0


WIDTH: Final = 46
HEADER: Final = f"{'fault':{WIDTH}}  tried  deaths  redelivered  lost  half-visible"
_rows: Final[dict[str, Row]] = {}


def row_for(fault: str) -> Row:
    return _rows.setdefault(fault, Row())


@pytest.fixture(autouse=True)
def _print_rows(request: pytest.FixtureRequest) -> Iterator[None]:
    _rows.clear()
    yield
    show = table_writer(request.node)
    for fault, found in _rows.items():
        show("faults", HEADER)
        counts = f"{found.tried:7}{found.deaths:8}{found.redelivered:13}{found.lost:6}{found.half_visible:14}"
        show("faults", f"{fault:{WIDTH}}{counts}")
