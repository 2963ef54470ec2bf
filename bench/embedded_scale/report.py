"""The tables of docs/measurements/scale.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.embedded_scale.timing import Times
from bench.speed import report
from bench.speed.runtime_api import ROOT

PAGE: Final = ROOT / "docs" / "measurements" / "scale.md"
BEGIN: Final = "<!-- python -m bench.embedded_scale --write -->"
END: Final = "<!-- end of embedded_scale -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What was measured at one number of images; seconds, and MB of 10^6 bytes.

    Attributes:
        loading: seconds of storing the records, None if they were there.
        opening, rebuilding: seconds until the index is open, with its files and without them.
        page: seconds until the page answers.
        memory: resident memory after the searches, by name in /proc.
        database, index: size of the files.
    """

    images: int
    loading: float | None
    opening: float
    rebuilding: float
    page: float
    memory: Mapping[str, float]
    database: float
    index: float


def section(
    sizes: Sequence[Size],
    times: Mapping[str, Times],
    processor: Mapping[str, Mapping[int, float]],
    equal: Mapping[str, float],
    note: str,
) -> list[str]:
    """Return the lines of the section."""
    small = sizes[0]
    resident = [
        f"{1000 * (size.memory['VmRSS'] - small.memory['VmRSS']) / (size.images - small.images):.1f} kB"
        if size is not small
        else ""
        for size in sizes
    ]
    rows = {
        "records stored a second": [_rate(size) for size in sizes],
        "the page answers after": [f"{size.page:.1f} s" for size in sizes],
        "the index opens in": [f"{size.opening:.2f} s" for size in sizes],
        "the index is rebuilt in": [f"{size.rebuilding:.1f} s" for size in sizes],
        "resident memory after the searches": [f"{size.memory['VmRSS']:,.0f} MB" for size in sizes],
        "of it mapped files": [f"{size.memory['RssFile']:,.0f} MB" for size in sizes],
        "more than at the smallest size, an image": resident,
        "database": [f"{size.database:,.0f} MB" for size in sizes],
        "files of the index": [f"{size.index:,.0f} MB" for size in sizes],
    }
    count = [f"{size.images:,}" for size in sizes]
    exact = ", ".join(f"{share:.4%} by {kind}" for kind, share in equal.items())
    return [
        f"{report.circumstances()} {note}".strip(),
        "",
        *_table(
            [
                "milliseconds of a search, p50 and p95",
                *(f"{each} images" for each in count),
                "p50, largest to smallest",
            ],
            {name: _times(found, [size.images for size in sizes]) for name, found in times.items()}
            | {f"{name}: processor time, mean": _processor(list(used.values())) for name, used in processor.items()},
        ),
        "",
        *_table(["", *(f"{each} images" for each in count)], rows),
        "",
        f"Of the 100 nearest among {count[-1]}, the index found {exact}.",
    ]


def write(lines: Sequence[str]) -> None:
    """Put the lines between the markers of the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text("\n".join([before + BEGIN, "", *lines, "", END]) + rest.partition(END)[2], encoding="utf-8")


def _rate(size: Size) -> str:
    return "" if size.loading is None else f"{size.images / size.loading:,.0f}"


def _times(found: Times, sizes: Sequence[int]) -> list[str]:
    middle, slow = ([found.percentile(size, percent) for size in sizes] for percent in (50, 95))
    return [
        *(f"{_milliseconds(p50)}, {_milliseconds(p95)}" for p50, p95 in zip(middle, slow, strict=True)),
        f"{middle[-1] / middle[0]:.2f}",
    ]


def _processor(used: Sequence[float]) -> list[str]:
    return [*(f"{each:.0f}" for each in used), f"{used[-1] / used[0]:.2f}"]


def _milliseconds(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _table(head: Sequence[str], rows: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 1),
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()),
    ]
