"""Figures that documentation repeats are those of the code; test_queue_figures.py has those of the queue."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from shared.domain import limits
from shared.search import budget, near_duplicates
from shared.vision import keypoints
from tests.repository.files import ROOT

MIB: Final = limits.MAX_UPLOAD_BYTES // limits.MIB
QUERY_MB: Final = f"{limits.MAX_QUERY_BYTES / 1e6:g}"
MEGAPIXELS: Final = limits.MAX_PIXELS // 1_000_000
LINK_MINUTES: Final = limits.LINK_EXPIRES_SECONDS // 60
UPLOAD_MINUTES: Final = limits.UPLOAD_EXPIRES_SECONDS // 60
CONTEXT: Final = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]

API, HOSTILE, RANKING = "docs/reference/api.md", "docs/explanation/hostile-input.md", "docs/explanation/ranking.md"
ACCESS, SECURITY, BY_URL = (
    "docs/guides/access-control.md",
    "docs/explanation/security.md",
    "docs/guides/images-by-url.md",
)
DEPLOYMENT: Final = "docs/guides/deployment.md"

FIGURES: Final = (
    (API, f"{limits.MAX_QUERY_BYTES:,} bytes"),
    (API, f"{MIB} MiB"),
    (API, f"{limits.MAX_REQUEST_BYTES // limits.MIB} MiB"),
    (API, f"{MEGAPIXELS} megapixels"),
    (API, f"{limits.MAX_SIDE:,}"),
    (API, f"{LINK_MINUTES} minutes"),
    (API, f"{limits.MAX_COLLECTION_LENGTH} characters"),
    ("README.md", f"{MIB} MiB"),
    ("README.md", f"{MEGAPIXELS} megapixels"),
    ("README.md", f"{QUERY_MB} MB"),
    ("README.md", f"{budget.FIRST_PASS + budget.SECOND_PASS} candidates"),
    (HOSTILE, f"| {MIB} MiB; {QUERY_MB} MB"),
    (HOSTILE, f"{limits.MAX_FETCH_BYTES // limits.MIB} MiB from a URL"),
    (HOSTILE, f"{MEGAPIXELS} million, {limits.MAX_SIDE:,} a side"),
    (HOSTILE, f"| {limits.MAX_JPEG_SCANS} |"),
    (HOSTILE, f"| {limits.MAX_CHUNKS:,} |"),
    (HOSTILE, f"| {limits.MAX_DECODE_MEMORY // limits.MIB} MiB |"),
    (HOSTILE, f"| {limits.MAX_DECODE_CPU_SECONDS} s |"),
    (HOSTILE, f"| {limits.MAX_DECODE_SECONDS} s |"),
    (RANKING, f"{budget.FIRST_BATCH} or {budget.FIRST_PASS}, and {budget.SECOND_PASS} more"),
    (RANKING, f"{budget.FIRST_PASS_THOROUGH}, and {budget.SECOND_PASS_THOROUGH} more"),
    (RANKING, f"at least {near_duplicates.LEAST_LOCAL}"),
    (RANKING, f"at most {near_duplicates.MOST_BITS} of 64 bits"),
    (RANKING, f"{keypoints.QUERY_KEYPOINTS:,} keypoints"),
    ("docs/explanation/architecture.md", f"{budget.SECOND_PASS} more candidates"),
    ("docs/explanation/architecture.md", f"{limits.UPLOAD_STATE_DAYS} days"),
    ("docs/explanation/architecture.md", f"{limits.REFUSAL_DAYS} days"),
    (ACCESS, f"at most {limits.MAX_KEY_COLLECTIONS}"),
    (ACCESS, f"| {limits.KEY_CALLS_PER_MINUTE} |"),
    (ACCESS, f"{limits.KEY_CACHE_SECONDS} seconds"),
    (ACCESS, f"{UPLOAD_MINUTES} minutes"),
    (SECURITY, f"{limits.KEY_CACHE_SECONDS} seconds"),
    (SECURITY, f"{LINK_MINUTES} minutes"),
    (BY_URL, f"within {limits.FETCH_SECONDS} s"),
    (BY_URL, f"{limits.MAX_FETCH_BYTES // limits.MIB} MiB ({limits.MAX_QUERY_BYTES:,} bytes"),
    ("docs/guides/sending-images.md", f"{limits.MAX_METADATA}"),
    ("docs/guides/sending-images.md", f"{limits.MAX_METADATA_LENGTH} characters"),
)


def text(page: str) -> str:
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("page", "figure"), FIGURES)
def test_a_page_states_the_limit_that_the_code_has(page: str, figure: str) -> None:
    assert re.search(rf"(?<![\d,]){re.escape(figure)}", text(page))


def test_the_settings_table_has_the_defaults_of_cdk_json() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]*)`? \|", Path(ROOT / DEPLOYMENT).read_text("utf-8"), re.MULTILINE))
    stated = {name: value.strip() for name, value in rows.items() if name in CONTEXT}
    expected = {name: str(CONTEXT[name]) for name in stated}
    assert len(stated) > 15
    assert {n: v for n, v in stated.items() if v not in (expected[n], "empty", "none")} == {}
