"""What other programs rely on stays: routes, fields, problem types, names of stored things."""

from tests.contract import promises


def test_no_promise_is_broken() -> None:
    broken = promises.kept() - promises.current()
    assert not broken, "others rely on these; a change needs a new version of the API, or a migration"
