"""Convert a Keras model to one LiteRT file."""

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


class Precision(StrEnum):
    """Precision of the exported weights. With int8, convolutions use integers, scaled for each image."""

    FLOAT16 = "float16"
    INT8 = "int8"

    @property
    def suffix(self) -> str:
        """The end of the model's id."""
        return {Precision.FLOAT16: "f16", Precision.INT8: "int8"}[self]


def convert(network: "keras.Model", precision: Precision) -> bytes:
    """Convert a network that `layers.models.networks.Network.build` returned to a LiteRT flatbuffer.

    Input: `rgb`, uint8 (1, 224, 224, 3). Outputs by signature name: `features` float32 (1, 2048) and `probabilities`
    float32 (1, 1000).
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision is Precision.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    converted: bytes = converter.convert()
    return converted
