"""The export command: what it says and does when weights are there, missing, or wrong."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from layers.resnet50 import export, weights
from layers.resnet50.export import SEED, TRAINED_ID, UNTRAINED_ID
from layers.resnet50.network import Precision
from layers.resnet50.suppress_output import quiet
from layers.resnet50.weights import WEIGHTS_VARIABLE, Weights, WeightsUnavailable, fetch

NAMES = [f"class_{number}" for number in range(1000)]


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the published files in a folder of the user's, with checksums to match."""
    path = tmp_path / "weights.h5"
    path.write_bytes(b"weights")
    index = json.dumps({str(number): [f"n{number}", name] for number, name in enumerate(NAMES)}).encode()
    (tmp_path / "imagenet_class_index.json").write_bytes(index)
    monkeypatch.setattr(weights, "WEIGHTS_MD5", hashlib.md5(b"weights", usedforsecurity=False).hexdigest())
    monkeypatch.setattr(weights, "NAMES_MD5", hashlib.md5(index, usedforsecurity=False).hexdigest())
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(path))
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras's download fails as it does without a connection."""

    def get_file(*_: object, **__: object) -> str:
        raise Exception("URL fetch failure")  # noqa: TRY002 - what Keras raises

    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(utils=SimpleNamespace(get_file=get_file)))
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace())
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Weights | None]:
    """The exports that were begun; none is carried out."""
    begun: list[Weights | None] = []

    def export_nothing(out: Path, found: Weights | None, precision: Precision) -> str:
        assert out, precision
        begun.append(found)
        return ""

    monkeypatch.setattr(export, "export", export_nothing)
    return begun


def test_a_named_file_is_checked_and_read(published: Path) -> None:
    found = fetch()
    assert found.path == published
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert list(found.names) == NAMES


def test_a_named_file_that_is_another_is_refused(published: Path) -> None:
    published.write_bytes(b"other weights")
    with pytest.raises(WeightsUnavailable, match="not the file that Keras publishes"):
        fetch()


def test_a_pinned_sha256_is_enforced(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "WEIGHTS_SHA256", hashlib.sha256(b"weights").hexdigest())
    assert fetch().path == published
    monkeypatch.setattr(weights, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(WeightsUnavailable, match="pinned"):
        fetch()


def test_a_named_file_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "none.h5"))
    with pytest.raises(WeightsUnavailable, match="No such file"):
        fetch()


@pytest.mark.usefixtures("no_network")
def test_without_names_a_named_file_is_not_enough(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(published))
    published.with_name("imagenet_class_index.json").unlink()
    with pytest.raises(WeightsUnavailable, match=r"with imagenet_class_index\.json beside it"):
        fetch()


@pytest.mark.usefixtures("no_network")
def test_no_connection_is_one_line_and_fails(
    tmp_path: Path, made: list[Weights | None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main(["--out", str(tmp_path / "model")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if line.startswith("error:")] == [said[-1]]
    assert WEIGHTS_VARIABLE in said[-1]
    assert made == []
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("no_network")
def test_the_untrained_network_is_announced(
    tmp_path: Path, made: list[Weights | None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main(["--out", str(tmp_path / "model"), "--allow-untrained"]) == 0
    assert made == [None]
    said = capsys.readouterr().err
    assert "UNTRAINED" in said
    assert UNTRAINED_ID in said
    assert WEIGHTS_VARIABLE in said
    assert "error" not in said


@pytest.mark.usefixtures("no_network")
def test_a_wrong_named_file_never_becomes_an_untrained_network(
    tmp_path: Path, made: list[Weights | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "none.h5"))
    assert export.main(["--out", str(tmp_path / "model"), "--allow-untrained"]) == 1
    assert made == []


def test_the_named_weights_are_exported(
    published: Path, tmp_path: Path, made: list[Weights | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace())
    assert export.main(["--out", str(tmp_path / "model")]) == 0
    assert [found.path for found in made if found] == [published]


def replace_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a quarter of a minute."""
    monkeypatch.setattr(export, "build", lambda _, __: None)
    monkeypatch.setattr(export, "reading_rgb", lambda network: network)
    monkeypatch.setattr(export, "convert", lambda _, precision: f"model of {precision}".encode())


def held(folder: Path, model: str, layout: int = export.LAYOUT) -> Path:
    folder.mkdir()
    (folder / "resnet50.tflite").write_bytes(b"model")
    (folder / "model.json").write_text(json.dumps({"id": model, "layout": layout}))
    return folder


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("model", "layout", "options", "begun"),
    [
        (TRAINED_ID, export.LAYOUT, [], 0),
        (TRAINED_ID, export.LAYOUT, ["--precision", "int8", "--allow-untrained"], 1),
        ("resnet50-imagenet-int8", export.LAYOUT, ["--precision", "int8"], 0),
        (f"resnet50-untrained-{SEED}-int8", export.LAYOUT, ["--precision", "int8", "--allow-untrained"], 0),
        (f"resnet50-untrained-{SEED}-int8", export.LAYOUT, ["--allow-untrained"], 1),
        (TRAINED_ID, export.LAYOUT, ["--allow-untrained"], 0),
        (UNTRAINED_ID, export.LAYOUT, ["--allow-untrained"], 0),
        (UNTRAINED_ID, export.LAYOUT - 1, ["--allow-untrained"], 1),
        ("resnet50-untrained-1-f16", export.LAYOUT, ["--allow-untrained"], 1),
    ],
)
def test_the_same_export_is_not_made_twice(
    model: str, layout: int, options: list[str], begun: int, tmp_path: Path, made: list[Weights | None]
) -> None:
    folder = held(tmp_path / "model", model, layout)
    assert export.main(["--out", str(folder), *options]) == 0
    assert len(made) == begun


@pytest.mark.usefixtures("no_network")
def test_an_untrained_export_is_not_enough_where_weights_are_asked_for(
    tmp_path: Path, made: list[Weights | None]
) -> None:
    assert export.main(["--out", str(held(tmp_path / "model", UNTRAINED_ID))]) == 1
    assert made == []


def test_an_export_is_whole_or_not_there(tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: object, __: object) -> bytes:
        raise MemoryError

    replace_tensorflow(monkeypatch)
    out = tmp_path / "deep" / "model"
    assert export.export(out, fetch(), Precision.FLOAT16) == TRAINED_ID
    card = json.loads((out / "model.json").read_text())
    assert card["weights_sha256"] == hashlib.sha256(published.read_bytes()).hexdigest()
    assert card["model_sha256"] == hashlib.sha256(b"model of float16").hexdigest()
    assert (card["id"], card["has_labels"], card["dimensions"]) == (TRAINED_ID, True, 2048)
    assert json.loads((out / "labels.json").read_text()) == NAMES
    assert export.exported(out) == TRAINED_ID

    assert export.export(out, None, Precision.FLOAT16) == UNTRAINED_ID
    assert sorted(path.name for path in out.iterdir()) == ["model.json", "resnet50.tflite"]

    monkeypatch.setattr(export, "convert", failing)
    with pytest.raises(MemoryError):
        export.export(out, fetch(), Precision.FLOAT16)
    assert export.exported(out) == UNTRAINED_ID
    assert [path.name for path in out.parent.iterdir()] == ["model"]


@pytest.mark.usefixtures("no_network")
def test_another_precision_has_another_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_tensorflow(monkeypatch)
    out = tmp_path / "model"
    assert export.main(["--out", str(out), "--allow-untrained", "--precision", "int8"]) == 0
    assert export.exported(out) == f"resnet50-untrained-{SEED}-int8" != UNTRAINED_ID
    assert (out / "resnet50.tflite").read_bytes() == b"model of int8"
    assert f"* resnet50-untrained-{SEED}-int8\n" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        export.main(["--out", str(out), "--precision", "int4"])


def test_a_damaged_export_is_no_export(tmp_path: Path) -> None:
    assert export.exported(tmp_path) is None
    folder = held(tmp_path / "model", TRAINED_ID)
    (folder / "resnet50.tflite").unlink()
    assert export.exported(folder) is None
    (folder / "model.json").write_text("{")
    assert export.exported(folder) is None


def test_quiet_holds_back_native_output_unless_there_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        subprocess.run(["sh", "-c", "echo noise; echo noise >&2"], check=True)
    assert capfd.readouterr() == ("", "")
    with pytest.raises(subprocess.CalledProcessError), quiet():
        subprocess.run(["sh", "-c", "echo what went wrong >&2; exit 3"], check=True)
    assert capfd.readouterr().err == "what went wrong\n"


def test_help_says_what_it_makes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        export.main(["--help"])
    assert done.value.code == 0
    said = capsys.readouterr().out
    assert WEIGHTS_VARIABLE in said
    assert "--allow-untrained" in said
