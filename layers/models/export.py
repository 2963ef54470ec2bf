"""Export a model: `python -m layers.models.export --out DIR`. It runs where images are built, never in a function."""

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
from layers.models.suppress_output import suppress_output
from layers.models.weights import Weights, WeightsUnavailable
from shared.domain.model_card import CARD_FILE, LABELS_FILE, MODEL_FILE, ModelCard

CLASSES_FILE: Final = Path(__file__).with_name("imagenet_classes.json")

LAYOUT: Final = 4
"""Version of the exported files. An export with another version is replaced."""


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m layers.models.export",
        description=f"Export a network with ImageNet weights to {MODEL_FILE}, one LiteRT file with 2048 features and "
        f"the 1000 class probabilities, and write {CARD_FILE} and {LABELS_FILE}. A folder that already contains the "
        "same export is not changed.",
        epilog=f"ResNet50's weights (98 MB) are read from the file that the environment variable {WEIGHTS_VARIABLE} "
        "names, or else downloaded by Keras to ~/.keras. EfficientNet-Lite0's come from a Python package.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write the model to")
    parser.add_argument("--model", choices=list(NETWORKS), default=DEFAULT, help="the network (default: %(default)s)")
    parser.add_argument(
        "--precision",
        type=Precision,
        choices=list(Precision),
        default=Precision.FLOAT16,
        help="precision of the weights: with int8, the file is half as large and features differ slightly; see "
        "docs/reference/models.md",
    )
    parser.add_argument(
        "--or-fallback",
        action="store_true",
        help=f"if the weights of {NETWORKS[DEFAULT].title} are not available, export {NETWORKS[FALLBACK].title} "
        "instead of failing; for local runs and tests, never for a deployment",
    )
    args = parser.parse_args(argv)
    if args.or_fallback and args.model != DEFAULT:
        parser.error(f"--or-fallback is only possible with --model {DEFAULT}")
    return args


def log(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def export(out: Path, network: Network, weights: Weights, precision: Precision, *, instead_of: str | None) -> str:
    """Write the model, its card and its labels to `out`, atomically, and return the model's id.

    Args:
        instead_of: name of the requested network, if its weights were not available.
    """
    log(f"building {network.title} and converting it to LiteRT with {precision} weights (about 15 s) ...")
    with suppress_output():
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
    log(f"exported {card.id} to {out} ({len(model) / 1e6:.0f} MB)")
    return card.id


def exported_model_id(out: Path) -> str | None:
    """Return the model id of the export in `out`, or None if there is no export by this version of the program."""
    try:
        card: dict[str, Any] = json.loads((out / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = card.get("layout") == LAYOUT and (out / MODEL_FILE).is_file() and (out / LABELS_FILE).is_file()
    return str(card["id"]) if whole else None


def main(argv: list[str] | None = None) -> int:
    args = parse_arguments(argv)
    network, fallback = NETWORKS[args.model], NETWORKS[FALLBACK]
    falls_back = args.or_fallback and not os.environ.get(WEIGHTS_VARIABLE)
    existing = exported_model_id(args.out)
    acceptable = [network, *([fallback] if falls_back else [])]
    if existing in [each.id(args.precision) for each in acceptable]:
        log(f"{existing} is already exported to {args.out}")
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    started = time.monotonic()
    log("starting TensorFlow ...")
    with suppress_output():
        import tensorflow  # noqa: F401 - imported here to suppress its output
    instead_of = None
    try:
        log(f"looking for the ImageNet weights of {network.title} ...")
        try:
            weights = network.fetch()
        except WeightsUnavailable as error:
            if not falls_back:
                raise
            log(f"not available: {error}")
            network, instead_of = fallback, network.name
            weights = network.fetch()
            _warn_of_fallback(NETWORKS[instead_of], network, network.id(args.precision))
    except WeightsUnavailable as error:
        log(f"error: {error}")
        return 1
    export(args.out, network, weights, args.precision, instead_of=instead_of)
    log(f"took {time.monotonic() - started:.0f} s")
    return 0


def _warn_of_fallback(missing: Network, network: Network, model: str) -> None:
    log("*" * 78)
    log(f"* NO WEIGHTS OF {missing.title}: exporting {network.title} instead, also trained on ImageNet.")
    log("* Images of the two are never compared. The model's id shows which one is in use:")
    log(f"* {model}")
    log("*" * 78)


if __name__ == "__main__":
    sys.exit(main())
