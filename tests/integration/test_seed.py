"""Indexing a folder: skipped files, the summary, and an early end."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from infra.local import seed
from infra.operate import add_report
from infra.operate.upload_client import ServerFailed
from shared.domain.limits import MAX_UPLOAD_BYTES
from tests.images import noise


class FailingApi(BaseHTTPRequestHandler):
    """An API that accepts every upload and fails to report its state."""

    opened: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.opened.append(self.path)
        self._answer(200, {"upload_id": "0", "url": f"http://{self.headers['Host']}/storage", "fields": {}})

    def do_GET(self) -> None:
        if self.path.startswith("/v1/stats"):
            self._answer(200, {"images": 1_000_000})
        elif self.path.startswith("/v1/images/"):
            self._answer(404, {})
        else:
            self._answer(500, {})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def failing_api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FailingApi)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_files_not_yet_sent_are_dropped_when_indexing_stops_early(failing_api: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(200)]
    for number, path in enumerate(paths):
        path.write_bytes(noise(number, 8))
    with pytest.raises(ServerFailed, match="answered 500"):
        seed.index(failing_api, paths)
    assert len(FailingApi.opened) < 60


def test_where_there_is_no_terminal_progress_is_a_line_now_and_then(
    failing_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = [tmp_path / f"{number}.png" for number in range(3)]
    seed.index(failing_api, missing)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(add_report, "QUIET_SECONDS", 0)
    seed.index(failing_api, missing)
    assert capsys.readouterr().err == "indexing: 1 of 3\nindexing: 2 of 3\nindexing: 3 of 3\n"


def test_files_that_cannot_be_sent_are_skipped_with_a_reason(failing_api: str, tmp_path: Path) -> None:
    large, empty = tmp_path / "large.png", tmp_path / "empty.png"
    with large.open("wb") as file:
        file.truncate(MAX_UPLOAD_BYTES + 1)
    empty.touch()
    paths = [large, empty, tmp_path / "gone.png", *[tmp_path / f"gone{number}.png" for number in range(40)]]
    outcomes = seed.index(failing_api, paths)
    assert {outcome.status for outcome in outcomes} == {"skipped"}
    lines = seed.summary(outcomes, 1.25).splitlines()
    assert lines[0] == "43 skipped in 1.2 s"
    assert any(line.endswith(f"large.png: skipped: more than {MAX_UPLOAD_BYTES:,} bytes") for line in lines)
    assert any(line.endswith("empty.png: skipped: The file is empty.") for line in lines)
    assert any(line.endswith("gone.png: skipped: No such file or directory") for line in lines)
    assert lines[-1] == "  ... and 23 more"
    assert len(lines) == 22
