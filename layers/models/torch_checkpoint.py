"""Read a PyTorch checkpoint without PyTorch.

The format is that of `torch.save` before PyTorch 1.6 (`_legacy_save` in torch/serialization.py): a magic number, a
protocol version, information about the writing machine, the pickled object, the keys of its storages, and then each
storage as its number of elements (64-bit little-endian) and its raw data.
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001

Array = npt.NDArray[np.generic]

_STORAGES: Final = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class CheckpointError(ValueError):
    """The file is not a checkpoint of tensors in the format that this module reads."""


def read(path: Path) -> Mapping[str, Array]:
    """Return the tensors of a state dictionary by name: float32 or int64, of the shape they were saved with.

    Only tensors and the dictionary that holds them are created; any other class or function in the file is refused.

    Raises:
        CheckpointError: the file is damaged, has another format, or contains anything but tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not a PyTorch checkpoint that can be read here: {error}") from error


def _read(file: BinaryIO, size: int) -> Mapping[str, Array]:
    header = [_Unpickler(file, size).load() for _ in range(2)]
    if header != [MAGIC, PROTOCOL]:
        raise ValueError(f"it begins with {header}")
    _Unpickler(file, size).load()
    body = _Unpickler(file, size)
    tensors: Mapping[str, Array] = body.load()
    for key in _Unpickler(file, size).load():
        storage = body.storages[key]
        if int.from_bytes(file.read(8), "little") != storage.size:
            raise ValueError(f"the size of storage {key} differs from the object's")
        storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return tensors


class _Unpickler(pickle.Unpickler):
    """An unpickler of dictionaries of arrays, whose elements are read after the object itself.

    Attributes:
        storages: flat arrays by key; tensors are views of their elements.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(file)
        self.storages: dict[str, npt.NDArray[Any]] = {}
        self._size = size

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _view
            case "torch", _ if name in _STORAGES:
                return _STORAGES[name]
        raise pickle.UnpicklingError(f"it contains {module}.{name}")

    def persistent_load(self, pid: Any) -> Array:
        """Return the storage that `('storage', type, key, device, number of elements, view)` names."""
        _, dtype, key, _, count, _ = pid
        if not 0 <= count * dtype.itemsize <= self._size:
            raise pickle.UnpicklingError(f"storage {key} is larger than the file")
        return self.storages.setdefault(key, np.zeros(count, dtype))


def _view(storage: Array, offset: int, shape: Sequence[int], strides: Sequence[int], *_: object) -> Array:
    """Return a tensor as a view of its storage; offset and strides count elements."""
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if min((offset, *strides, *(size - 1 for size in shape))) < 0 or last >= storage.size:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)
