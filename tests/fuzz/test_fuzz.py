"""Code that reads untrusted bytes withstands the seeds, past findings and a short search."""

import importlib.util
import os
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.fuzzing import fuzz, table
from tests.fuzz.targets import TARGETS
from tests.tables import table_writer

SECONDS = 5
PAST_FINDINGS = [
    ("header", b"II+\0\x08\0\0\0" + b"\xff" * 8 + b"\0" * 32),
    (
        "header",
        b64decode(
            "UklGRjYAAABXRUJQsAEAnQEqCAAIAAFAJiX/wgAAAABhMXZtZmlmQU5JTWdtaY5hYwBXRUJQVlA4ICqdASoIAAj/wFRMZk1BVwoH"
        ),
    ),
    ("event", b'{"Records":[{"eventName":"ObjectCreated:","s3":{"bucket":{"name":"b"},"object":{"key":"\\udc00"}}}]}'),
    (
        "event",
        b'{"Records":[{"eventName":"ObjectCreated:","s3":{"bucket":{"name":"b"},"object":{"key":"a","versionId":[]}}}]}',
    ),
    (
        "event",
        b'{"Records":[{"eventName":"ObjectCreated:","s3":{"bucket":{"name":"b"},"object":{"key":"a","versionId":""}}}]}',
    ),
    ("multipart", b"boundary=b;charset=undefined\n--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--b--"),
]


@pytest.mark.parametrize("name", TARGETS)
def test_targets_withstand_seeds_and_truncated_seeds(name: str) -> None:
    target = TARGETS[name]
    for seed in target.seeds:
        for end in {*range(0, len(seed), 7), len(seed)}:
            target.run(seed[:end])


@pytest.mark.parametrize(("name", "data"), PAST_FINDINGS)
def test_targets_withstand_past_findings(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


@pytest.mark.parametrize(
    ("name", "folder", "boundaries"), [("address", "url", False), ("multipart", "multipart", True)]
)
def test_targets_withstand_collected_inputs(name: str, folder: str, boundaries: bool) -> None:
    """Inputs from the fuzzing of other projects; each form is sent with its own boundary and with another one."""
    data = os.environ.get("PICTRACE_EVAL_DATA")
    if not data:
        pytest.skip("PICTRACE_EVAL_DATA names no folder")
    files = sorted((Path(data) / "corpus" / "cases" / folder).iterdir())
    assert len(files) > 20
    for file in files:
        content = file.read_bytes()
        own = content.partition(b"\r\n")[0].lstrip(b"-").replace(b"\n", b"")[:70]
        for head in (b"boundary=" + own + b"\n", b"boundary=boundary\n") if boundaries else (b"",):
            TARGETS[name].run(head + content)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_targets_withstand_words_in_any_order(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    pieces = st.lists(st.sampled_from([*target.words, *target.seeds]) | st.binary(max_size=16), max_size=6)
    target.run(b"".join(data.draw(pieces)))


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has wheels for Linux on x86-64 and no other system"
)
def test_a_short_search_finds_nothing(request: pytest.FixtureRequest) -> None:
    results = fuzz(TARGETS, SECONDS, seed=1)
    table_writer(request.node)("fuzzing", table(results))
    for done in results:
        assert done.finished, done.output
        assert not done.crashes, done.output
        assert done.executions > len(TARGETS[done.target].seeds), done.output
        assert done.edges > 40, done.output
