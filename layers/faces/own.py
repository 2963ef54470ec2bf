"""An embedder of one's own: a LiteRT file, and a JSON file beside it that says how it is used.

The JSON has the fields of `FaceCard`, of which most have defaults, and `file`, the name of the LiteRT file. Its input
is one chip, (1, side, side, 3), of bytes or, with `mean`, of float32; its output 128 float32 values.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shared.domain.people.face_card import FaceCard

VALUES: Final = 128
"""The vector index has as many dimensions, which cannot be changed."""
DIGITS: Final = 8
"""Of the SHA-256 of the file, in the id: another file is another embedder, whatever it is called."""


class EmbedderUnusable(ValueError):  # noqa: N818
    """The files do not describe an embedder that can be used; the message says what is wrong."""


def read(path: Path) -> tuple[FaceCard, bytes]:
    """Return the card and the network that a JSON file names.

    Raises:
        EmbedderUnusable: see there.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        network = (path.parent / Path(str(values.pop("file"))).name).read_bytes()
        card = FaceCard.of(values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise EmbedderUnusable(f"{path}: {error!r}") from error
    _check(path, card, network)
    return replace(card, id=f"{card.id}-{hashlib.sha256(network).hexdigest()[:DIGITS]}"), network


def _check(path: Path, card: FaceCard, network: bytes) -> None:
    try:
        interpreter = _interpreter(network)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EmbedderUnusable(f"{path}: the file is not a LiteRT network: {error}") from error
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    wanted = ((1, card.side, card.side, 3), "uint8" if card.mean is None else "float32")
    found = (tuple(int(size) for size in inputs[0]["shape"]), inputs[0]["dtype"].__name__)
    if len(inputs) != 1 or found != wanted:
        raise EmbedderUnusable(f"{path}: the network takes {found[0]} of {found[1]}, not {wanted[0]} of {wanted[1]}")
    if len(outputs) != 1 or tuple(int(size) for size in outputs[0]["shape"]) != (1, VALUES):
        raise EmbedderUnusable(f"{path}: the network does not return {VALUES} values")


def _interpreter(network: bytes) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:  # where images are built
        import tensorflow as tf

        return tf.lite.Interpreter(model_content=network)
    return Interpreter(model_content=network)
