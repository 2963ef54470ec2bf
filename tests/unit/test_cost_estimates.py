"""The cost estimates that commands print, as docs/guides/existing-buckets.md and docs/guides/changing-the-model.md
state them.
"""

from pathlib import Path

from infra.operate.costs import cleanup_cost, estimate, format_dollars, indexing_cost, reindexing_cost

DOCS = Path(__file__).parents[2] / "docs"


def total(text: str) -> str:
    return text.rsplit(maxsplit=1)[-1]


def test_the_page_states_the_cost_of_indexing_a_million_images() -> None:
    page = (DOCS / "guides" / "existing-buckets.md").read_text(encoding="utf-8")
    printed = estimate(1_000_000, indexing_cost(1769), " if all are new")
    assert "\n".join(f"    {line}" for line in printed.splitlines()) in page
    assert total(printed) == "$34.17"


def test_changing_the_model_of_a_million_images_costs_the_stated_amount() -> None:
    assert total(estimate(1_000_000, reindexing_cost(1769))) == "$22.76"
    assert total(estimate(1_000_000, cleanup_cost())) == "$25.09"


def test_amounts_below_a_cent_are_shown_as_such() -> None:
    assert estimate(1, cleanup_cost()).endswith(": less than a cent")
    assert format_dollars(0.004) == "< $0.01"
