"""Where the network's weights come from."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WEIGHTS_VARIABLE: Final = "PICTRACE_RESNET50_WEIGHTS"

URL: Final = (
    "https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5"
)
"""Where `keras.applications.resnet` of Keras 3 fetches the ImageNet weights with the classifier."""

MD5: Final = "2cb95161c43110f7111970584f804107"
"""The checksum that Keras pins for this file, `WEIGHTS_HASHES["resnet50"][0]` in keras/src/applications/resnet.py."""


class WeightsUnavailable(RuntimeError):  # noqa: N818
    """The weights could not be fetched or are not the expected file; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file with its SHA-256 in hex."""

    path: Path
    sha256: str


def fetch() -> Weights:
    """The ImageNet weights: the file that `PICTRACE_RESNET50_WEIGHTS` names, or Keras's download.

    Both must have the checksum that Keras pins; a file of other weights would give features that no other
    deployment of the same model id could be compared with.

    Raises:
        WeightsUnavailable: no file, no connection, or another file than the expected one.
    """
    named = os.environ.get(WEIGHTS_VARIABLE)
    path = Path(named) if named else _download()
    if not path.is_file():
        raise WeightsUnavailable(f"{WEIGHTS_VARIABLE} names {path}, which is no file.")
    data = path.read_bytes()
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != MD5:
        raise WeightsUnavailable(f"{path} is not the file that Keras publishes (MD5 {MD5}). Fetch {URL} again.")
    return Weights(path, hashlib.sha256(data).hexdigest())


def _download() -> Path:
    import keras

    try:
        return Path(
            keras.utils.get_file(Path(URL).name, URL, cache_subdir="models", file_hash=MD5, hash_algorithm="md5")
        )
    except Exception as error:
        raise WeightsUnavailable(
            f"The ImageNet weights could not be fetched from {URL} ({error.__class__.__name__}). "
            f"Fetch the file elsewhere and name it in {WEIGHTS_VARIABLE}."
        ) from error
