"""`python -m infra.local`, as `make run` starts it and Ctrl-C stops it."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from infra.local import preflight
from infra.local.__main__ import main, parse_arguments
from shared.domain.model_card import ModelCard
from tests.conftest import ROOT
from tests.images import noise
from tests.processes import read_until_ready, stop


def start(*arguments: str, module: str = "infra.local", data: str = "none") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", module, "--port", "0", *arguments]
    if module == "infra.local":
        command += ["--data", data]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def test_a_folder_is_indexed_and_ctrl_c_stops_the_run(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.png").write_bytes(noise(1))
    (tmp_path / "deep" / "same.png").write_bytes(noise(1))
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "broken.png").write_bytes(noise(2)[:300])
    (tmp_path / ".hidden.png").write_bytes(noise(3))
    process = start("--model-dir", str(model_dir), "--pictures", str(tmp_path))
    said = read_until_ready(process)
    url = re.search(r"http://localhost:\d+", said)
    assert url, said
    assert httpx.get(f"{url[0]}/v1/stats").json()["images"] == 1
    assert re.search(r"1 (indexed|duplicate)", said)
    assert "notes.txt: skipped: The file is not an image in a supported format" in said
    assert "broken.png: rejected:" in said
    card = ModelCard.read(model_dir)
    assert f"model      {card.id}" in said
    assert (f"NOTE: {card.notice}" in said) == (card.notice is not None)
    rest = stop(process)
    assert process.returncode == 0
    assert rest.strip().endswith("stopped.")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url[0]}/health")


def test_sigterm_stops_the_run_where_the_shell_ignores_ctrl_c(model_dir: Path, tmp_path: Path) -> None:
    ignoring = ["sh", "-c", 'trap "" INT; exec "$0" "$@"', sys.executable, "-m", "infra.local", "--port", "0"]
    ignoring += ["--data", "none"]
    process = subprocess.Popen(
        [*ignoring, "--model-dir", str(model_dir), "--pictures", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = read_until_ready(process)
    assert f"there is no file in {tmp_path}" in said
    rest = stop(process, signal.SIGTERM)
    assert (process.returncode, rest.strip()) == (0, "stopped.")


def test_a_closed_run_prints_a_key_and_requires_it(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(noise(1))
    process = start("--model-dir", str(model_dir), "--pictures", str(tmp_path), "--closed")
    try:
        said = read_until_ready(process)
        assert "CLOSED" in said
        url, key = re.search(r"http://localhost:\d+", said), re.search(r"pt_[0-9a-f]{16}_[\w-]{43}", said)
        assert url, said
        assert key, said
        assert httpx.get(f"{url[0]}/v1/stats").status_code == 401
        stats = httpx.get(f"{url[0]}/v1/stats", headers={"X-Api-Key": key[0]})
        assert (stats.status_code, stats.json()["images"]) == (200, 1)
    finally:
        stop(process)


def test_a_run_that_other_machines_may_reach_requires_keys(model_dir: Path, tmp_path: Path) -> None:
    process = start("--model-dir", str(model_dir), "--pictures", str(tmp_path), "--host", "0.0.0.0")  # noqa: S104
    try:
        said = read_until_ready(process)
        key, port = re.search(r"pt_[0-9a-f]{16}_[\w-]{43}", said), re.search(r"http://localhost:(\d+)", said)
        assert port, said
        assert key, said
        assert f"{Path(sys.executable).relative_to(ROOT)} -m infra.local keys --data " in said
        other = f"http://127.0.0.2:{port[1]}/v1/uploads"  # another interface, which the loopback address is not
        body, headers = {"filename": "a.png", "content_type": "image/png"}, {"Host": "localhost:9000"}
        assert httpx.post(other, json=body, headers=headers).status_code == 401
        form = httpx.post(other, json=body, headers=headers | {"X-Api-Key": key[0]})
        assert (form.status_code, form.json()["url"]) == (201, "http://localhost:9000/objects")
        assert httpx.post(other, json=body, headers={"X-Api-Key": key[0]}).status_code == 403
    finally:
        stop(process)


@pytest.mark.parametrize(
    ("arguments", "closed"),
    [
        ([], False),
        (["--closed"], True),
        (["--host", "127.0.0.2"], False),
        (["--host", "192.0.2.1"], True),
        (["--host", "192.0.2.1", "--open"], False),
    ],
)
def test_keys_are_required_where_other_machines_may_reach_it(arguments: list[str], closed: bool) -> None:
    assert parse_arguments(arguments).closed is closed


def test_an_address_that_cannot_be_listened_on_is_reported(capsys: pytest.CaptureFixture[str], model_dir: Path) -> None:
    assert main(["--model-dir", str(model_dir), "--data", "none", "--port", "0", "--host", "192.0.2.1"]) == 1
    assert capsys.readouterr().err == "pictrace: No interface of this machine has the address 192.0.2.1.\n"
    for wrong in (["--host", "example.com"], ["--open", "--closed"]):
        with pytest.raises(SystemExit):
            parse_arguments(wrong)


def test_a_missing_model_is_reported_in_one_line(tmp_path: Path) -> None:
    started = time.monotonic()
    process = start("--model-dir", str(tmp_path / "absent"))
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.count("\n") == 1
    assert "python -m layers.models.export" in said
    assert time.monotonic() - started < 20


def test_preflight_accepts_a_folder_and_refuses_a_missing_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("PICTURES", str(tmp_path))
    preflight.main()
    monkeypatch.setenv("PICTURES", str(tmp_path / "absent"))
    with pytest.raises(SystemExit):
        preflight.main()
