"""dlib's face network in Keras: a ResNet with 27 convolutions, from a chip of a face to 128 values.

The network is `anet_type` of http://dlib.net/dnn_face_recognition_ex.cpp.html.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from layers.faces import dlib_checkpoint
from layers.faces.dlib_checkpoint import Convolution, Dense

if TYPE_CHECKING:
    import keras

SIDE: Final = 150
MEAN_RGB: Final = (122.782, 117.001, 104.298)
"""`input_rgb_image_sized` of dlib."""
SCALE: Final = 256.0

LEVELS: Final = ("rrr", "drrr", "drr", "drr", "d")
"""The residual blocks from the input to the output: `r` keeps the size, `d` halves it."""


def build(weights: Path) -> "keras.Model":
    """Return the network with the weights of dlib's file.

    Input `rgb`: uint8 (1, 150, 150, 3). Output `vector`: float32 (1, 128).
    """
    import keras

    layers = dlib_checkpoint.read(weights)
    rgb = keras.Input((SIDE, SIDE, 3), batch_size=1, dtype="uint8", name="rgb")
    x = (keras.ops.cast(rgb, "float32") - keras.ops.array(MEAN_RGB, dtype="float32")) / SCALE
    x = keras.layers.MaxPooling2D(3, 2)(_convolve(layers, x))
    for level in LEVELS:
        for block in level:
            x = _down(layers, x) if block == "d" else _residual(layers, x)
    return keras.Model(rgb, {"vector": _dense(layers, keras.layers.GlobalAveragePooling2D()(x))})


def _residual(layers: Iterator[Convolution | Dense], x: Any) -> Any:
    import keras

    return keras.layers.ReLU()(_block(layers, x) + x)


def _down(layers: Iterator[Convolution | Dense], x: Any) -> Any:
    """Halve the size: what dlib adds has other sizes and fewer channels, and is filled with zeros."""
    import keras

    y = _block(layers, x)
    skipped = keras.layers.AveragePooling2D(2, 2)(x)
    rows, columns = (max(y.shape[axis], skipped.shape[axis]) for axis in (1, 2))
    channels = max(y.shape[3], skipped.shape[3])

    def fill(one: Any) -> Any:
        missing = [(0, size - one.shape[axis]) for axis, size in ((1, rows), (2, columns), (3, channels))]
        return keras.ops.pad(one, [(0, 0), *missing])

    return keras.layers.ReLU()(fill(y) + fill(skipped))


def _block(layers: Iterator[Convolution | Dense], x: Any) -> Any:
    return _convolve(layers, _convolve(layers, x), activated=False)


def _convolve(layers: Iterator[Convolution | Dense], x: Any, *, activated: bool = True) -> Any:
    import keras

    one = next(layers)
    assert isinstance(one, Convolution)  # noqa: S101 - the file's SHA-256 is pinned
    layer = keras.layers.Conv2D(
        one.kernel.shape[3],
        one.kernel.shape[:2],
        strides=one.stride,
        padding="same" if one.padded else "valid",
        activation="relu" if activated else None,
    )
    y = layer(x)
    layer.set_weights([one.kernel, one.bias])
    return y


def _dense(layers: Iterator[Convolution | Dense], x: Any) -> Any:
    import keras

    one = next(layers)
    assert isinstance(one, Dense)  # noqa: S101 - the file's SHA-256 is pinned
    layer = keras.layers.Dense(one.kernel.shape[1], use_bias=False)
    y = layer(x)
    layer.set_weights([one.kernel])
    return y
