"""Nothing that was acknowledged is lost when the process is killed; `make kill-test` kills it more often."""

from pathlib import Path

from tests.kill.killing import WORK, kill, table


def test_what_was_acknowledged_survives_kills(model_dir: Path, tmp_path: Path) -> None:
    moments = list(kill(2 * len(WORK), seed=1, data=tmp_path / "data", model_dir=model_dir))
    assert [lost for moment in moments for lost in moment.lost] == []
    assert sum(moment.uploads for moment in moments) > 20, table(moments)
    assert sum(moment.deletes for moment in moments), table(moments)
