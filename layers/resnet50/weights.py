"""Where the network's weights and class names come from."""

import hashlib
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WEIGHTS_VARIABLE: Final = "PICTRACE_RESNET50_WEIGHTS"

WEIGHTS_URL: Final = (
    "https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5"
)
"""Where `keras.applications.resnet` of Keras 3 fetches the ImageNet weights with the classifier."""

WEIGHTS_MD5: Final = "2cb95161c43110f7111970584f804107"
"""The checksum that Keras pins for this file, `WEIGHTS_HASHES["resnet50"][0]` in keras/src/applications/resnet.py."""

WEIGHTS_SHA256: str | None = None
"""To be pinned once from a verified download (every export writes it to model.json): see docs/reference/models.md.
MD5 finds damaged and wrong files, but not ones made to deceive."""

NAMES_URL: Final = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
NAMES_MD5: Final = "c2c37ea517e94d9795004a39431a14cb"
"""As in keras/src/applications/imagenet_utils.py."""

CLASSES: Final = 1000
STALLED_SECONDS: Final = 30


class WeightsUnavailable(RuntimeError):  # noqa: N818
    """The weights could not be fetched or are not the expected file; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file with its SHA-256 in hex, and the 1000 class names in the order of the network's outputs."""

    path: Path
    sha256: str
    names: tuple[str, ...]


def fetch() -> Weights:
    """The ImageNet weights: the file that `PICTRACE_RESNET50_WEIGHTS` names, or Keras's download.

    Both must have the checksum that Keras pins; a file of other weights would give features that no other
    deployment of the same model id could be compared with. The class names are read from a file
    `imagenet_class_index.json` beside a named weights file, or downloaded.

    Raises:
        WeightsUnavailable: no file, no connection, or another file than the expected one.
    """
    named = os.environ.get(WEIGHTS_VARIABLE)
    path = Path(named) if named else _download(WEIGHTS_URL, WEIGHTS_MD5)
    data = _read(path, WEIGHTS_MD5, WEIGHTS_URL)
    sha256 = hashlib.sha256(data).hexdigest()
    if WEIGHTS_SHA256 not in (None, sha256):
        raise WeightsUnavailable(f"{path} has the SHA-256 {sha256}, not the pinned {WEIGHTS_SHA256}.")
    return Weights(path, sha256, _names(path.with_name(Path(NAMES_URL).name)))


def _names(beside: Path) -> tuple[str, ...]:
    path = beside if beside.is_file() else _download(NAMES_URL, NAMES_MD5)
    index: dict[str, tuple[str, str]] = json.loads(_read(path, NAMES_MD5, NAMES_URL))
    return tuple(index[str(number)][1] for number in range(CLASSES))


def _read(path: Path, md5: str, url: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsUnavailable(f"{path} cannot be read: {error.strerror}.") from error
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
        raise WeightsUnavailable(f"{path} is not the file that Keras publishes (MD5 {md5}). Fetch it from {url}")
    return data


def _download(url: str, md5: str) -> Path:
    import keras

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_SECONDS)
    try:
        return Path(keras.utils.get_file(Path(url).name, url, cache_subdir="models", file_hash=md5))
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise WeightsUnavailable(
            f"{url} could not be fetched. Fetch it elsewhere, with {Path(NAMES_URL).name} beside it, "
            f"and name the weights file in {WEIGHTS_VARIABLE}."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
