"""Export the model: `python -m layers.resnet50.export --out DIR`. Runs where images are built, never in a function."""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from layers.resnet50.network import FEATURES, Precision, build, convert, reading_rgb
from layers.resnet50.suppress_output import quiet
from layers.resnet50.weights import WEIGHTS_VARIABLE, Weights, WeightsUnavailable, fetch

MODEL_FILE: Final = "resnet50.tflite"
CARD_FILE: Final = "model.json"
LABELS_FILE: Final = "labels.json"

SEED: Final = 20_261_120
"""Of the untrained fallback's weights."""

_SUFFIXES: Final = {Precision.FLOAT16: "f16", Precision.INT8: "int8"}


def model_id(precision: Precision, *, trained: bool) -> str:
    """Features of two models differ, so what differs in them has another id."""
    return f"resnet50-{'imagenet' if trained else f'untrained-{SEED}'}-{_SUFFIXES[precision]}"


TRAINED_ID: Final = model_id(Precision.FLOAT16, trained=True)
UNTRAINED_ID: Final = model_id(Precision.FLOAT16, trained=False)
LAYOUT: Final = 3
"""Raised when what the files hold changes, so that an older export is made again."""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m layers.resnet50.export",
        description=f"Export Keras's ResNet50 to {MODEL_FILE}, one LiteRT file with the 2048 pooled features and "
        f"the 1000 class probabilities, with {CARD_FILE} and {LABELS_FILE} beside it. A folder that holds the export "
        "already is left as it is.",
        epilog=f"The ImageNet weights (98 MB) are downloaded by Keras to ~/.keras, or read from the file that the "
        f"environment variable {WEIGHTS_VARIABLE} names.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write the model to")
    parser.add_argument(
        "--precision",
        type=Precision,
        choices=list(Precision),
        default=Precision.FLOAT16,
        help="of the weights: int8 is faster and half as large, and its features differ a little; "
        "docs/reference/models.md has by how much",
    )
    parser.add_argument(
        "--allow-untrained",
        action="store_true",
        help="where the weights cannot be fetched, export a network of random weights from a fixed seed instead of "
        "failing; for local runs and tests, never for a deployment",
    )
    return parser.parse_args(argv)


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def export(out: Path, weights: Weights | None, precision: Precision) -> str:
    """Write the model, its card and (with weights) its labels to `out`, all or nothing; gives the model's id."""
    say(f"building ResNet50 and converting it to LiteRT with {precision} weights (about 15 s) ...")
    with quiet():
        model = convert(reading_rgb(build(weights.path if weights else None, SEED)), precision)
    card = {
        "layout": LAYOUT,
        "id": model_id(precision, trained=weights is not None),
        "has_labels": weights is not None,
        "dimensions": FEATURES,
        "weights_sha256": weights.sha256 if weights else None,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "versions": {"keras": version("keras")},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        made = Path(folder) / "model"
        made.mkdir()
        (made / MODEL_FILE).write_bytes(model)
        if weights:
            (made / LABELS_FILE).write_text(json.dumps(weights.names), encoding="utf-8")
        (made / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)
    say(f"exported {card['id']} to {out} ({len(model) / 1e6:.0f} MB)")
    return str(card["id"])


def exported(out: Path) -> str | None:
    """The model id of the export that `out` holds, if this version of the program made it."""
    try:
        card: dict[str, Any] = json.loads((out / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = card.get("layout") == LAYOUT and (out / MODEL_FILE).is_file()
    return str(card["id"]) if whole else None


def main(argv: list[str] | None = None) -> int:
    wanted = arguments(argv)
    named = bool(os.environ.get(WEIGHTS_VARIABLE))
    held = exported(wanted.out)
    trained, untrained = (model_id(wanted.precision, trained=trained) for trained in (True, False))
    if held == trained or (held == untrained and wanted.allow_untrained and not named):
        say(f"{held} is already exported to {wanted.out}")
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    started = time.monotonic()
    say("starting TensorFlow ...")
    with quiet():
        import tensorflow  # noqa: F401 - imported for its noise
    try:
        say("looking for the ImageNet weights (98 MB, downloaded once) ...")
        weights = fetch()
    except WeightsUnavailable as error:
        if named or not wanted.allow_untrained:
            say(f"error: {error}")
            return 1
        say(f"no weights: {error}")
        _announce_untrained(untrained)
        weights = None
    export(wanted.out, weights, wanted.precision)
    say(f"took {time.monotonic() - started:.0f} s")
    return 0


def _announce_untrained(model: str) -> None:
    say("*" * 78)
    say("* NO IMAGENET WEIGHTS: exporting an UNTRAINED network of random weights instead.")
    say("* Matches are worse and there are no labels. The model's id says so everywhere:")
    say(f"* {model}")
    say("*" * 78)


if __name__ == "__main__":
    sys.exit(main())
