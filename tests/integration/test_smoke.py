"""`python -m infra.operate smoke`, on separate local runs, and its behaviour when a step fails."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from infra.local.moto_vectors.lifecycle import Phase
from infra.local.moto_vectors.table_hooks import set_phase
from infra.operate.__main__ import main
from infra.operate.round_trip import RoundTrip
from infra.operate.smoke import EXIT_STATUS, STEPS
from shared.domain.access import Scope
from shared.domain.table_schema import VECTOR_INDEX
from tests.conftest import ROOT, ClosedApi, PicTrace
from tests.images import noise
from tests.integration.conftest import until
from tests.processes import read_until_ready, stop

LINE = re.compile(r"  (\d+) ([a-z-]+) +(\d+\.\d\d) s  (.+)")


def steps(said: str) -> dict[str, str]:
    """The printed result of each step, in order."""
    lines = [found for line in said.splitlines() if (found := LINE.fullmatch(line))]
    assert all(EXIT_STATUS[line[2]] == int(line[1]) for line in lines)
    return {line[2]: line[4] for line in lines}


def smoke(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.operate", "smoke", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_a_local_run_passes_and_nothing_is_left_behind(model_dir: Path, tmp_path: Path, closed: bool) -> None:
    (tmp_path / "mine.png").write_bytes(noise(900))
    options = ["--model-dir", str(model_dir), "--pictures", str(tmp_path), *["--closed"] * closed]
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "--port", "0", "--data", "none", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = read_until_ready(process)
        url = re.search(r"http://localhost:\d+", said)
        key = re.search(r"pt_[0-9a-f]{16}_[\w-]{43}", said)
        assert url, said
        assert bool(key) is closed, said
        authorised = ["--key", key[0]] if key else []
        done = smoke("--url", url[0], *authorised)
        assert done.returncode == 0, done.stdout + done.stderr
        found = steps(done.stdout)
        assert list(found) == list(EXIT_STATUS)
        assert found["key"].startswith("the key is accepted" if closed else "the API is open")
        assert found["search"].startswith("an altered copy is a ")
        assert found["clean-up"] == "nothing is left"
        assert re.search(rf"^all {len(STEPS)} steps in \d+\.\d\d s$", done.stdout, re.MULTILINE)
        assert not key or key[0] not in done.stdout + done.stderr

        with httpx.Client(base_url=url[0], headers={"X-Api-Key": key[0]} if key else {}) as client:
            assert client.get("/v1/images", params={"collection": "smoke"}).json()["images"] == []
            assert client.get("/v1/stats").json()["images"] == 1
        if closed:
            refused = smoke("--url", url[0])
            assert refused.returncode == EXIT_STATUS["key"]
            assert steps(refused.stdout)["key"] == "FAILED: this API is closed: pass a key with --key"
    finally:
        stop(process)


def images(running: PicTrace, collection: str = "smoke") -> list[Any]:
    found: list[Any] = running.client.get("/v1/images", params={"collection": collection}).json()["images"]
    return found


def test_an_unreachable_url_fails_the_health_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "--url", "http://localhost:1"]) == EXIT_STATUS["health"]
    found = steps(capsys.readouterr().out)
    assert list(found) == ["health", "clean-up"]
    assert found["health"].startswith("FAILED: ")


def test_a_key_without_the_write_scope_fails_the_upload_step(
    closed: ClosedApi, capsys: pytest.CaptureFixture[str]
) -> None:
    key = closed.key(Scope.SEARCH)
    assert main(["smoke", "--url", closed.url, "--key", key]) == EXIT_STATUS["upload"]
    found = steps(capsys.readouterr().out)
    assert found["upload"].startswith("FAILED: /v1/uploads answered 403")
    assert found["clean-up"] == "there was nothing to remove"


@pytest.fixture
def building(running: PicTrace) -> Iterator[None]:
    table = running.cloud.outputs["TableName"]
    set_phase(table, VECTOR_INDEX, Phase.BACKFILLING)
    yield
    set_phase(table, VECTOR_INDEX, Phase.SEARCHABLE)


@pytest.mark.usefixtures("building")
def test_an_index_that_is_being_built_fails_the_search_step(
    running: PicTrace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["smoke", "--url", running.url, "--patience", "8"]) == EXIT_STATUS["search"]
    found = steps(capsys.readouterr().out)
    assert "not found within 8 s; the last answer: 503, a vector index is being built" in found["search"]
    assert found["clean-up"] == "the image was removed"
    assert images(running) == []


def test_the_search_step_waits_for_an_index_to_become_ready(
    running: PicTrace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = running.cloud.outputs["TableName"]
    set_phase(table, VECTOR_INDEX, Phase.UNSERVED)
    monkeypatch.setattr("time.sleep", lambda _: set_phase(table, VECTOR_INDEX, Phase.SEARCHABLE))
    assert main(["smoke", "--url", running.url]) == 0
    assert steps(capsys.readouterr().out)["search"].startswith("an altered copy is a ")


@pytest.mark.usefixtures("put")
def test_an_upload_that_is_not_indexed_is_named(running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
    """The fixture `put` disables the bucket's events."""
    assert main(["smoke", "--url", running.url, "--patience", "0"]) == EXIT_STATUS["index"]
    found = steps(capsys.readouterr().out)
    assert "still pending after 0 s" in found["index"]
    left = re.fullmatch(
        r"FAILED: upload ([0-9a-f]{32}) may be indexed later. If it is, send "
        r"DELETE /v1/images/([0-9a-f]{64})\?collection=smoke",
        found["clean-up"],
    )
    assert left
    boto3.client("s3").delete_object(Bucket=running.cloud.outputs["BucketName"], Key=f"uploads/smoke/{left[1]}")


def test_an_interrupted_run_leaves_nothing_behind(
    running: PicTrace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: RoundTrip) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(RoundTrip, "search", interrupt)
    assert main(["smoke", "--url", running.url]) == 130
    assert steps(capsys.readouterr().out)["clean-up"] == "the image was removed"
    assert images(running) == []


@pytest.fixture(scope="module")
def stack(running: PicTrace, closed: ClosedApi) -> str:
    """The name of a stack whose outputs name a closed API, as those of a deployed stack do."""
    outputs = {"ApiUrl": closed.url} | {name: running.cloud.outputs[name] for name in ("TableName", "BucketName")}
    template = {
        "Resources": {"Nothing": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName="PicTrace-smoke", TemplateBody=json.dumps(template))
    return "PicTrace-smoke"


class TestStack:
    def test_a_temporary_key_is_created_and_deleted(
        self, stack: str, closed: ClosedApi, running: PicTrace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = closed.keys.list_all()
        assert main(["--stack", stack, "smoke"]) == 0
        found = steps(capsys.readouterr().out)
        assert found["key"].startswith("a temporary key is accepted")
        assert closed.keys.list_all() == before
        assert images(running) == []

    @pytest.mark.usefixtures("building")
    def test_the_temporary_key_is_deleted_when_a_step_fails(
        self, stack: str, closed: ClosedApi, running: PicTrace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = closed.keys.list_all()
        assert main(["--stack", stack, "smoke", "--patience", "8"]) == EXIT_STATUS["search"]
        assert steps(capsys.readouterr().out)["clean-up"] == "the image was removed"
        assert closed.keys.list_all() == before
        assert images(running) == []

    def test_an_upload_that_is_not_indexed_is_removed_from_the_bucket(
        self, stack: str, running: PicTrace, put: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--stack", stack, "smoke", "--patience", "0"]) == EXIT_STATUS["index"]
        assert steps(capsys.readouterr().out)["clean-up"] == "the uploaded object was removed"
        listed = boto3.client("s3").list_objects_v2(Bucket=running.cloud.outputs["BucketName"], Prefix="uploads/smoke/")
        assert listed["KeyCount"] == 0

    def test_a_given_key_is_used_and_kept(
        self, stack: str, closed: ClosedApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        key = closed.key(Scope.SEARCH, Scope.WRITE, collections=["checks"])
        before = closed.keys.list_all()
        assert main(["--stack", stack, "smoke", "--key", key, "--collection", "checks"]) == 0
        assert steps(capsys.readouterr().out)["key"].startswith("the key is accepted")
        assert closed.keys.list_all() == before

    def test_a_stack_without_a_url_asks_for_one(self, running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--stack", "PicTrace", "smoke"]) == 1
        assert "give the address with --url" in capsys.readouterr().err.lower()
        until(lambda: images(running) == [])
