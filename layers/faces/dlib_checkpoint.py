"""Read the weights of dlib's face network from its `.dat` file, without dlib.

The file is dlib's serialisation of a `loss_metric` network
(https://github.com/davisking/dlib-models#dlib_face_recognition_resnet_model_v1datbz2). Only three kinds of its layers
have weights; each is written after a string that names it, the layer nearest to the input first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]

TENSOR_VERSION: Final = 2
NEGATIVE: Final = 0x80
LENGTH: Final = 0x0F


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with its batch normalisation folded into it.

    Attributes:
        kernel: (height, width, channels in, channels out), as Keras orders it.
        bias: one for each channel out.
        padded: by one pixel on each side.
    """

    kernel: Weights
    bias: Weights
    stride: int
    padded: bool


@dataclass(frozen=True, slots=True)
class Dense:
    """The last layer, without a bias: kernel (channels in, values out)."""

    kernel: Weights


def read(path: Path) -> Iterator[Convolution | Dense]:
    """Yield the layers that have weights, in the order of the file."""
    reader = _Reader(path.read_bytes())
    while token := reader.next_of(b"con_4", b"fc_2"):
        if token == b"fc_2":
            outputs, inputs = reader.integer(), reader.integer()
            yield Dense(reader.tensor().reshape(inputs, outputs))
            continue
        yield _convolution(reader)


def _convolution(reader: "_Reader") -> Convolution:
    weights = reader.tensor().ravel()
    filters, height, width, stride, _, padding, _ = (reader.integer() for _ in range(7))
    kernel, bias = weights[:-filters].reshape(filters, -1, height, width), weights[-filters:]
    reader.next_of(b"affine_")
    affine = reader.tensor().ravel()
    scale, shift = affine[:filters], affine[filters:]
    folded = kernel * scale[:, np.newaxis, np.newaxis, np.newaxis]
    return Convolution(folded.transpose(2, 3, 1, 0), bias * scale + shift, stride, padding > 0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next_of(self, *names: bytes) -> bytes | None:
        """Move behind the next layer that has one of these names, and return it; None if there is none."""
        # dlib writes a string as its length, which is an integer, and its bytes.
        found = [(at, name) for name in names if (at := self._data.find(bytes((1, len(name))) + name, self._at)) >= 0]
        if not found:
            return None
        at, name = min(found)
        self._at = at + 2 + len(name)
        return name

    def integer(self) -> int:
        """Read an integer: a byte with the sign and the number of bytes that follow, little-endian."""
        control = self._data[self._at]
        end = self._at + 1 + (control & LENGTH)
        value = int.from_bytes(self._data[self._at + 1 : end], "little")
        self._at = end
        return -value if control & NEGATIVE else value

    def tensor(self) -> Weights:
        """Read four dimensions and as many little-endian floats as their product."""
        version = self.integer()
        if version != TENSOR_VERSION:
            raise ValueError(f"a tensor of version {version}; this program reads version {TENSOR_VERSION}")
        shape = [self.integer() for _ in range(4)]
        values: Any = np.frombuffer(self._data, "<f4", int(np.prod(shape)), self._at)
        self._at += values.nbytes
        return np.asarray(values.reshape(shape), dtype=np.float32)
