"""Keras's ResNet50 with ImageNet weights."""

import contextlib
import io
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layers.models.weights import Weights, WeightsUnavailable, verify

if TYPE_CHECKING:
    import keras

SIDE: Final = 224
CAFFE_MEAN_RGB: Final = (123.68, 116.779, 103.939)
"""ImageNet's mean as `keras.applications.imagenet_utils` subtracts it in mode `caffe`."""

WEIGHTS_VARIABLE: Final = "PICTRACE_RESNET50_WEIGHTS"

WEIGHTS_URL: Final = (
    "https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5"
)
"""The address from which `keras.applications.resnet` of Keras 3 downloads the ImageNet weights with the classifier."""

WEIGHTS_MD5: Final = "2cb95161c43110f7111970584f804107"
"""The checksum that Keras pins for this file, `WEIGHTS_HASHES["resnet50"][0]` in keras/src/applications/resnet.py."""

WEIGHTS_SHA256: str | None = None
"""Not pinned yet: docs/reference/models.md says why. Set it from a verified download; every export writes it to
model.json. MD5 detects damaged and wrong files, but not forged ones."""

STALLED_SECONDS: Final = 30


def fetch() -> Weights:
    """Return the file that `PICTRACE_RESNET50_WEIGHTS` names, or Keras's download.

    Either must have the checksum that Keras pins: features from other weights are not comparable with those of other
    deployments that have the same model id.

    Raises:
        WeightsUnavailable: there is no file or no connection, or the file is not the expected one.
    """
    named = os.environ.get(WEIGHTS_VARIABLE)
    path = Path(named) if named else _download()
    return verify(path, md5=WEIGHTS_MD5, sha256=WEIGHTS_SHA256, origin=WEIGHTS_URL)


def _download() -> Path:
    import keras

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED_SECONDS)
    try:
        name = Path(WEIGHTS_URL).name
        print("downloading 98 MB, unless ~/.keras has them ...", file=sys.stderr, flush=True)
        with contextlib.redirect_stdout(io.StringIO()):  # Keras announces the download there, whatever comes of it
            return Path(keras.utils.get_file(name, WEIGHTS_URL, cache_subdir="models", file_hash=WEIGHTS_MD5))
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise WeightsUnavailable(
            f"{WEIGHTS_URL} could not be downloaded. Download it elsewhere and set {WEIGHTS_VARIABLE} to the file."
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def build(weights: Path | None) -> "keras.Model":
    """Return ResNet50 from RGB bytes to features and probabilities; with None, its weights are random, for comparisons.

    The weights expect BGR. The first convolution is reordered for RGB, which is cheaper than reordering every image.
    """
    import keras

    network = keras.applications.ResNet50(weights=None)
    if weights is not None:
        network.load_weights(weights)
    stem = network.get_layer("conv1_conv")
    kernel, bias = stem.get_weights()
    stem.set_weights([kernel[:, :, ::-1], bias])
    rgb = keras.Input((SIDE, SIDE, 3), batch_size=1, dtype="uint8", name="rgb")
    centred = keras.ops.cast(rgb, "float32") - keras.ops.array(CAFFE_MEAN_RGB, dtype="float32")
    both = keras.Model(network.inputs, [network.get_layer("avg_pool").output, network.output])
    features, probabilities = both(centred)
    return keras.Model(rgb, {"features": features, "probabilities": probabilities})
