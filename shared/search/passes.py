"""When a search has found enough, and when it goes on with parts of the query."""

from collections.abc import Sequence
from typing import Final

from shared.domain.matches import SAFE_TO_ACT_ON, Comparison, Effort, Ranking
from shared.search.request import ScoredMatch, SearchRequest

NEAR: Final = 0.7
"""Coarse probability from which a candidate is likely to be a copy; after unrelated ones no more are expected."""
EXPLAINED: Final = 0.6
"""Least share of the query that a copy must show; the rest might be another image."""


def needs_second_pass(wanted: SearchRequest, scored: Sequence[ScoredMatch]) -> bool:
    """Return whether to search again by parts of the query; never for `classic` and `cosine`, which stay baselines."""
    if wanted.effort is Effort.FAST or wanted.ranking is not Ranking.FUSED:
        return False
    return wanted.effort is Effort.THOROUGH or not any(_explains(match.comparison) for match in scored)


def _explains(found: Comparison) -> bool:
    """Return whether the query is a copy of this match, and shows little else."""
    shown = 1.0 if found.overlap is None else found.overlap[0]
    return found.verdict in SAFE_TO_ACT_ON and shown >= EXPLAINED


def may_stop_early(wanted: SearchRequest) -> bool:
    return wanted.effort is Effort.BALANCED and wanted.ranking is Ranking.FUSED


def ends_with_strangers(scored: Sequence[ScoredMatch]) -> bool:
    """Return whether near-duplicates were found, all of them in the first half of the candidates, nearest first."""
    near = [place for place, match in enumerate(scored) if match.comparison.agreement >= NEAR]
    return bool(near) and near[-1] < len(scored) // 2
