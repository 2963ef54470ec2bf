"""Keras's ResNet50 as one LiteRT file: RGB bytes in, features and class probabilities out."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import keras

SIDE: Final = 224
FEATURES: Final = 2048
CAFFE_MEAN_BGR: Final = (103.939, 116.779, 123.68)
"""ImageNet's mean as `keras.applications.imagenet_utils` subtracts it in mode `caffe`, channels B, G, R."""


def build(weights: Path | None, seed: int) -> "keras.Model":
    """ResNet50 with its classifier, from a weights file or, without one, with Keras's random weights for `seed`."""
    import keras

    keras.utils.set_random_seed(seed)
    network: keras.Model = keras.applications.ResNet50(weights=None)
    if weights is not None:
        network.load_weights(weights)
    return network


def convert(network: "keras.Model") -> bytes:
    """A LiteRT flatbuffer with float16 weights.

    Input: uint8 (1, 224, 224, 3), RGB. Outputs by signature name: `features` float32 (1, 2048), the pooled last
    feature map, and `probabilities` float32 (1, 1000).
    """
    import keras
    import tensorflow as tf

    rgb = keras.Input((SIDE, SIDE, 3), batch_size=1, dtype="uint8", name="rgb")
    bgr = keras.ops.flip(keras.ops.cast(rgb, "float32"), axis=-1) - keras.ops.array(CAFFE_MEAN_BGR, dtype="float32")
    both = keras.Model(network.inputs, [network.get_layer("avg_pool").output, network.output])
    features, probabilities = both(bgr)
    served = keras.Model(rgb, {"features": features, "probabilities": probabilities})
    converter = tf.lite.TFLiteConverter.from_keras_model(served)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    converted: bytes = converter.convert()
    return converted
