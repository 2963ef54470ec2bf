"""The estimates that commands show, as docs/guides/existing-buckets.md and docs/guides/changing-the-model.md
have them."""

from pathlib import Path

from infra.operate.costs import amount, cleaning, estimate, indexing, reindexing

DOCS = Path(__file__).parents[2] / "docs"


def together(text: str) -> str:
    return text.rsplit(maxsplit=1)[-1]


def test_indexing_a_million_costs_what_the_page_says() -> None:
    page = (DOCS / "guides" / "existing-buckets.md").read_text(encoding="utf-8")
    printed = estimate(1_000_000, indexing(1769), " if all are new")
    assert "\n".join(f"    {line}" for line in printed.splitlines()) in page
    assert together(printed) == "$32.42"


def test_changing_the_model_of_a_million() -> None:
    assert together(estimate(1_000_000, reindexing(1769))) == "$22.26"
    assert together(estimate(1_000_000, cleaning())) == "$25.09"


def test_little_is_said_as_little() -> None:
    assert estimate(1, cleaning()).endswith(": less than a cent")
    assert amount(0.004) == "< $0.01"
