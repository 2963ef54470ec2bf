"""The protocol of people holds in random histories, and each of its safeguards is needed.

`make people-histories` plays 10,000 of them.
"""

import pytest

from tests.people.histories import play
from tests.people.safeguards import FOUND_BY, WITHOUT


def test_people_stay_right_whatever_the_order_of_events() -> None:
    counts, violations = play(range(25))
    assert not violations
    assert counts["assigned"] > counts["faces"] / 2
    assert min(counts[what] for what in ("deaths", "merged", "named", "rejections")) > 10


@pytest.mark.parametrize("safeguard", WITHOUT)
def test_a_history_fails_without(safeguard: str) -> None:
    _, violations = play([FOUND_BY[safeguard]], WITHOUT[safeguard])
    assert violations
