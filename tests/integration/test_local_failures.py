"""What a start of the local run says of files that failed for good."""

from pathlib import Path

import pytest

from infra.local import commands
from infra.local.data_folder import DATABASE_FILE
from shared.domain.images import UPLOADS_PREFIX
from shared.embedded.migrations import open_database
from shared.embedded.objects import notification
from shared.embedded.queue import Message, Queue
from tests.images import noise
from tests.integration.test_local_data import running


def test_a_start_tells_of_files_that_failed_for_good_until_they_are_tried_again(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    (pictures / "a.png").write_bytes(noise(7_200))
    with running(model_dir, data, "--pictures", pictures) as (said, _):
        assert "could not be indexed" not in said
    [file] = (data / "objects" / "uploads").glob("*/*/*")
    database = open_database(data / DATABASE_FILE)
    body = notification("ObjectCreated:Post", f"{UPLOADS_PREFIX}default/{file.name}")
    Queue(database).bury(Message(0, body, failures=5, interruptions=0), "no luck")
    database.close()
    with running(model_dir, data) as (said, _):
        assert "NOTE: 1 file could not be indexed. This says which and why:\n" in said
        assert f" -m infra.local redrive --list --data {data}\n" in said
        assert commands.main(["redrive", "--data", str(data), "--yes"]) == 0
    with running(model_dir, data) as (said, _):
        assert "could not be indexed" not in said
    assert "1 message is processed again" in capsys.readouterr().out
