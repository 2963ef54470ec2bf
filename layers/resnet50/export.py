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

from layers.resnet50.weights import WEIGHTS_VARIABLE, Weights, WeightsUnavailable, fetch

MODEL_FILE: Final = "resnet50.tflite"
CARD_FILE: Final = "model.json"
LABELS_FILE: Final = "labels.json"
LAYOUT: Final = 1
"""Raised when what the files hold changes, so that an older export is made again."""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m layers.resnet50.export",
        description="Export Keras's ResNet50 to one LiteRT file with features and class probabilities.",
        epilog=f"ImageNet weights are downloaded by Keras, or read from the file that {WEIGHTS_VARIABLE} names.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument(
        "--allow-untrained",
        action="store_true",
        help="without weights, export a network of random weights from a fixed seed instead of failing",
    )
    return parser.parse_args(argv)


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def export(out: Path, weights: Weights | None) -> dict[str, Any]:
    """Write model, card and (with weights) labels to `out`, all or nothing; gives the card."""
    from layers.resnet50.network import SEED, build, convert

    say("building ResNet50 ...")
    network = build(weights.path if weights else None)
    say("converting to LiteRT with float16 weights (half a minute) ...")
    model = convert(network)
    digest = hashlib.sha256(model).hexdigest()
    card = {
        "layout": LAYOUT,
        "id": "resnet50-imagenet-f16" if weights else f"resnet50-untrained-{SEED}-f16",
        "has_labels": weights is not None,
        "weights_sha256": weights.sha256 if weights else None,
        "model_sha256": digest,
        "versions": {name: version(name) for name in ("keras",)},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        made = Path(folder) / "model"
        made.mkdir()
        (made / MODEL_FILE).write_bytes(model)
        if weights:
            (made / LABELS_FILE).write_text(json.dumps(_class_names()), encoding="utf-8")
        (made / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)
    say(f"exported {card['id']} to {out} ({len(model) / 1e6:.0f} MB)")
    return card


def _class_names() -> list[str]:
    """The 1000 class names in output order; Keras fetches them from where the weights come from."""
    import numpy as np
    from keras.applications.imagenet_utils import decode_predictions

    order = np.arange(1000, 0, -1, dtype=np.float32)[np.newaxis] / 1000
    return [name for _, name, _ in decode_predictions(order, top=1000)[0]]


def exported(out: Path) -> dict[str, Any] | None:
    """The card of an export of this layout, if `out` holds one."""
    try:
        card: dict[str, Any] = json.loads((out / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return card if card.get("layout") == LAYOUT and (out / MODEL_FILE).is_file() else None


def main(argv: list[str] | None = None) -> int:
    wanted = arguments(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    started = time.monotonic()
    weights: Weights | None = None
    held = exported(wanted.out)
    if held and (held["has_labels"] or (wanted.allow_untrained and not os.environ.get(WEIGHTS_VARIABLE))):
        say(f"{held['id']} is already exported in {wanted.out}")
        return 0
    try:
        say("looking for the ImageNet weights (98 MB, once) ...")
        weights = fetch()
    except WeightsUnavailable as error:
        say(f"pictrace: {error}")
        if not wanted.allow_untrained:
            say("pictrace: a deployment without ImageNet weights is not built.")
            return 1
        say("*" * 78)
        say("* NO IMAGENET WEIGHTS: exporting an UNTRAINED network of random weights instead.")
        say("* Candidates are weaker and there are no labels. The model's id says so everywhere.")
        say("*" * 78)
    export(wanted.out, weights)
    say(f"took {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
