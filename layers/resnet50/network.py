"""Keras's ResNet50 as one LiteRT file: RGB bytes in, features and class probabilities out."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import keras

SIDE: Final = 224
FEATURES: Final = 2048
CAFFE_MEAN_RGB: Final = (123.68, 116.779, 103.939)
"""ImageNet's mean as `keras.applications.imagenet_utils` subtracts it in mode `caffe`."""


class Precision(StrEnum):
    """Of the exported weights. With int8 the convolutions compute in integers, scaled as each image asks."""

    FLOAT16 = "float16"
    INT8 = "int8"


def build(weights: Path | None, seed: int) -> "keras.Model":
    """ResNet50 with its classifier, from a weights file or, without one, with Keras's random weights for `seed`."""
    import keras

    keras.utils.set_random_seed(seed)
    network: keras.Model = keras.applications.ResNet50(weights=None)
    if weights is not None:
        network.load_weights(weights)
    return network


def reading_rgb(network: "keras.Model") -> "keras.Model":
    """The same network after its first convolution was turned from BGR to RGB: cheaper than turning every image."""
    stem = network.get_layer("conv1_conv")
    kernel, bias = stem.get_weights()
    stem.set_weights([kernel[:, :, ::-1], bias])
    return network


def convert(network: "keras.Model", precision: Precision) -> bytes:
    """A LiteRT flatbuffer of a network that takes RGB images without ImageNet's mean.

    Input: uint8 (1, 224, 224, 3), RGB. Outputs by signature name: `features` float32 (1, 2048), the pooled last
    feature map, and `probabilities` float32 (1, 1000).
    """
    import keras
    import tensorflow as tf

    rgb = keras.Input((SIDE, SIDE, 3), batch_size=1, dtype="uint8", name="rgb")
    centred = keras.ops.cast(rgb, "float32") - keras.ops.array(CAFFE_MEAN_RGB, dtype="float32")
    both = keras.Model(network.inputs, [network.get_layer("avg_pool").output, network.output])
    features, probabilities = both(centred)
    served = keras.Model(rgb, {"features": features, "probabilities": probabilities})
    converter = tf.lite.TFLiteConverter.from_keras_model(served)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision is Precision.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    converted: bytes = converter.convert()
    return converted
