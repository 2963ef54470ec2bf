"""The documentation states the queue's times and the refusal codes as the code defines them."""

import math
from typing import Final

import pytest

from infra.operate import flow
from infra.stack.monitoring import BACKLOG_MINUTES
from shared.domain.errors import REFUSAL_CODES
from shared.domain.queue_times import INGEST_QUEUE
from tests.repository.files import ROOT
from tests.retry_times import reported_seconds

DOCS: Final = ROOT / "docs"
MINUTES: Final = INGEST_QUEUE.visibility_seconds // 60
FIRST, SECOND, THIRD, FOURTH = (
    INGEST_QUEUE.retry_seconds(receives) for receives in range(1, INGEST_QUEUE.max_receives)
)
WAITS: Final = f"{FIRST}, {SECOND}, {THIRD} and {FOURTH} s"


def page(name: str) -> str:
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("guides/operations.md", f"the oldest message has waited for more than {BACKLOG_MINUTES} minutes"),
        ("guides/operations.md", f"two visibility timeouts and an attempt: {INGEST_QUEUE.retried_age_seconds:,} s"),
        ("guides/operations.md", f"| the 1st, reported by the function | {FIRST} s | | the 2nd | {SECOND} s |"),
        ("guides/operations.md", f"| the 3rd | {THIRD} s | | the 4th | {FOURTH} s | | the 5th | not any more"),
        ("guides/operations.md", f"at the latest {reported_seconds()[-1]} s after its first failure"),
        ("guides/operations.md", f"| {MINUTES} minutes, the queue's visibility timeout |"),
        (
            "guides/operations.md",
            f"{FIRST} s, doubled with each receive, at most {INGEST_QUEUE.longest_retry_seconds // 60} min",
        ),
        ("guides/operations.md", f"six times the function's own, {INGEST_QUEUE.function_seconds} s"),
        ("guides/operations.md", f"for {INGEST_QUEUE.dead_letter_days} days"),
        ("development/ministack.md", f"the template's {MINUTES} minutes"),
        ("development/ministack.md", f"is redelivered after {WAITS}"),
        (
            "explanation/event-ordering.md",
            f"is redelivered after {WAITS}, or after {MINUTES} minutes if its worker died",
        ),
        ("guides/existing-buckets.md", f"empty for {flow.QUIET_SECONDS // 60} minutes"),
        ("guides/existing-buckets.md", f"nothing has ended for {flow.GIVE_UP_SECONDS // 60} minutes"),
        ("guides/existing-buckets.md", f"up to {flow.MAX_IN_FLIGHT} objects"),
    ],
)
def test_a_page_states_the_defined_times(name: str, text: str) -> None:
    assert text in page(name)


def test_the_backlog_alarm_tolerates_one_failing_message() -> None:
    assert math.ceil(INGEST_QUEUE.retried_age_seconds / 60) == BACKLOG_MINUTES


def test_every_refusal_code_is_explained() -> None:
    said = page("reference/api.md")
    for code, meaning in REFUSAL_CODES.items():
        assert f"| `{code}` | {meaning} |" in said
