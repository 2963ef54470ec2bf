"""Export a model: `python -m layers.models.export --out DIR`. Runs where images are built, never in a function."""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from layers.models.conversion import Precision, convert
from layers.models.networks import DEFAULT, FALLBACK, NETWORKS, Network
from layers.models.resnet50 import WEIGHTS_VARIABLE
from layers.models.suppress_output import quiet
from layers.models.weights import Weights, WeightsUnavailable
from shared.domain.model_card import CARD_FILE, LABELS_FILE, MODEL_FILE, ModelCard

CLASSES_FILE: Final = Path(__file__).with_name("imagenet_classes.json")

LAYOUT: Final = 4
"""Of the files. An export of another layout is made again."""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m layers.models.export",
        description=f"Export a network with ImageNet weights to {MODEL_FILE}, one LiteRT file with 2048 features and "
        f"the 1000 class probabilities, with {CARD_FILE} and {LABELS_FILE} beside it. A folder that holds the export "
        "already is left as it is.",
        epilog=f"ResNet50's weights (98 MB) are downloaded by Keras to ~/.keras, or read from the file that the "
        f"environment variable {WEIGHTS_VARIABLE} names. EfficientNet-Lite0's are in a package of the package index.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write the model to")
    parser.add_argument("--model", choices=list(NETWORKS), default=DEFAULT, help="the network (default: %(default)s)")
    parser.add_argument(
        "--precision",
        type=Precision,
        choices=list(Precision),
        default=Precision.FLOAT16,
        help="of the weights: with int8 the file is half as large, and features differ a little; "
        "docs/reference/models.md has by how much",
    )
    parser.add_argument(
        "--or-fallback",
        action="store_true",
        help=f"where the weights of {NETWORKS[DEFAULT].title} cannot be had, export {NETWORKS[FALLBACK].title} instead "
        "of failing; for local runs and tests, never for a deployment",
    )
    wanted = parser.parse_args(argv)
    if wanted.or_fallback and wanted.model != DEFAULT:
        parser.error(f"--or-fallback goes with --model {DEFAULT}")
    return wanted


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def export(out: Path, network: Network, weights: Weights, precision: Precision, *, instead_of: str | None) -> str:
    """Write the model, its card and its labels to `out`, all or nothing, and return the model's id.

    Args:
        instead_of: the network that was asked for and whose weights could not be had.
    """
    say(f"building {network.title} and converting it to LiteRT with {precision} weights (about 15 s) ...")
    with quiet():
        model = convert(network.build(weights.path), precision)
    card = ModelCard(
        id=network.id(precision),
        network=network.title,
        has_labels=True,
        instead_of=NETWORKS[instead_of].title if instead_of else None,
        least_probability=network.least_probability,
    )
    provenance = {
        "layout": LAYOUT,
        "weights_sha256": weights.sha256,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "versions": {"keras": version("keras")},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        made = Path(folder) / "model"
        made.mkdir()
        (made / MODEL_FILE).write_bytes(model)
        shutil.copyfile(CLASSES_FILE, made / LABELS_FILE)
        (made / CARD_FILE).write_text(json.dumps(asdict(card) | provenance, indent=2) + "\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)
    say(f"exported {card.id} to {out} ({len(model) / 1e6:.0f} MB)")
    return card.id


def exported(out: Path) -> str | None:
    """Return the model id of the export in `out`, or None if this version of the program did not make one there."""
    try:
        card: dict[str, Any] = json.loads((out / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = card.get("layout") == LAYOUT and (out / MODEL_FILE).is_file() and (out / LABELS_FILE).is_file()
    return str(card["id"]) if whole else None


def main(argv: list[str] | None = None) -> int:
    wanted = arguments(argv)
    network, fallback = NETWORKS[wanted.model], NETWORKS[FALLBACK]
    falls_back = wanted.or_fallback and not os.environ.get(WEIGHTS_VARIABLE)
    held = exported(wanted.out)
    enough = [network, *([fallback] if falls_back else [])]
    if held in [each.id(wanted.precision) for each in enough]:
        say(f"{held} is already exported to {wanted.out}")
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    started = time.monotonic()
    say("starting TensorFlow ...")
    with quiet():
        import tensorflow  # noqa: F401 - imported for its noise
    instead_of = None
    try:
        say(f"looking for the ImageNet weights of {network.title} ...")
        try:
            weights = network.fetch()
        except WeightsUnavailable as error:
            if not falls_back:
                raise
            say(f"no weights: {error}")
            network, instead_of = fallback, network.name
            weights = network.fetch()
            _announce(NETWORKS[instead_of], network, network.id(wanted.precision))
    except WeightsUnavailable as error:
        say(f"error: {error}")
        return 1
    export(wanted.out, network, weights, wanted.precision, instead_of=instead_of)
    say(f"took {time.monotonic() - started:.0f} s")
    return 0


def _announce(missing: Network, network: Network, model: str) -> None:
    say("*" * 78)
    say(f"* NO WEIGHTS OF {missing.title} HERE: exporting {network.title} instead, which is trained too.")
    say("* Images of the two are never compared. The model's id says which it is:")
    say(f"* {model}")
    say("*" * 78)


if __name__ == "__main__":
    sys.exit(main())
