"""PyTorch checkpoints, written as PyTorch 1.5 wrote them: valid ones are read, and others are refused."""

import io
import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from layers.models import torch_checkpoint
from layers.models.efficientnet_lite0 import fetch
from layers.models.torch_checkpoint import MAGIC, PROTOCOL, CheckpointError


def _rebuild_tensor_v2(*_: object) -> None: ...


class FloatStorage: ...


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fake modules with PyTorch's names, which pickle needs for writing."""
    for name, member in (("torch", FloatStorage), ("torch._utils", _rebuild_tensor_v2)):
        module: Any = ModuleType(name)
        setattr(module, member.__name__, member)
        monkeypatch.setattr(member, "__module__", name)
        monkeypatch.setitem(sys.modules, name, module)


class Tensor:
    """A tensor that is pickled as `torch.Tensor.__reduce_ex__` does."""

    def __init__(self, key: str, count: int, offset: int, shape: Sequence[int], strides: Sequence[int]) -> None:
        self.storage = Storage(key, count)
        self.rest: tuple[object, ...] = (offset, tuple(shape), tuple(strides), False, OrderedDict())

    def __reduce__(self) -> tuple[Callable[..., None], tuple[object, ...]]:
        return _rebuild_tensor_v2, (self.storage, *self.rest)


class Storage:
    def __init__(self, key: str, count: int) -> None:
        self.id = ("storage", FloatStorage, key, "cpu", count, None)


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        return value.id if isinstance(value, Storage) else None


def write_checkpoint(path: Path, state: object, storages: dict[str, list[float]], *, magic: int = MAGIC) -> Path:
    out = io.BytesIO()
    for value in (magic, PROTOCOL, {"little_endian": True}):
        pickle.dump(value, out, protocol=2)
    _Pickler(out, protocol=2).dump(state)
    pickle.dump(list(storages), out, protocol=2)
    for numbers in storages.values():
        out.write(len(numbers).to_bytes(8, "little") + np.array(numbers, "<f4").tobytes())
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.usefixtures("torch")
def test_tensors_are_read_with_their_shapes_and_strides(tmp_path: Path) -> None:
    state = OrderedDict(
        plain=Tensor("a", 6, 0, [2, 3], [3, 1]),
        transposed=Tensor("a", 6, 0, [3, 2], [1, 3]),
        shared=Tensor("a", 6, 4, [2], [1]),
        scalar=Tensor("b", 1, 0, [], []),
    )
    read = torch_checkpoint.read(write_checkpoint(tmp_path / "m.pth", state, {"a": [0, 1, 2, 3, 4, 5], "b": [7]}))
    assert list(read) == list(state)
    assert read["plain"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert read["shared"].tolist() == [4, 5]
    assert (read["scalar"].shape, read["scalar"].tolist()) == ((), 7)
    assert read["plain"].dtype == np.float32


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize(
    ("tensor", "storages"),
    [
        (Tensor("a", 4, 0, [5], [1]), {"a": [0, 1, 2, 3]}),
        (Tensor("a", 4, 2, [2, 2], [2, 1]), {"a": [0, 1, 2, 3]}),
        (Tensor("a", 4, -1, [2], [1]), {"a": [0, 1, 2, 3]}),
        (Tensor("a", 4, 3, [2], [-1]), {"a": [0, 1, 2, 3]}),
        (Tensor("a", 10**12, 0, [2], [1]), {"a": [0, 1]}),
        (Tensor("a", 4, 0, [4], [1]), {"a": [0, 1]}),
        (Tensor("a", 4, 0, [4], [1]), {"b": [0, 1, 2, 3]}),
    ],
    ids=["shape", "strides", "offset", "backwards", "huge", "shorter", "absent"],
)
def test_a_tensor_that_exceeds_its_storage_is_refused(
    tensor: Tensor, storages: dict[str, list[float]], tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError):
        torch_checkpoint.read(write_checkpoint(tmp_path / "m.pth", {"x": tensor}, storages))


class PickledCall:
    """An object that calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def test_only_tensors_are_unpickled(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for place in ("state", "header"):
        path = write_checkpoint(tmp_path / "m.pth", {"x": PickledCall(Path.touch, trace)}, {})
        if place == "header":
            path.write_bytes(pickle.dumps(PickledCall(Path.touch, trace), protocol=2) + path.read_bytes())
        with pytest.raises(CheckpointError, match="it contains "):
            torch_checkpoint.read(path)
        assert not trace.exists()


@pytest.mark.usefixtures("torch")
def test_other_and_truncated_files_are_refused(tmp_path: Path) -> None:
    whole = write_checkpoint(tmp_path / "m.pth", {"x": Tensor("a", 4, 0, [4], [1])}, {"a": [0, 1, 2, 3]}).read_bytes()
    other = write_checkpoint(tmp_path / "other.pth", {}, {}, magic=1).read_bytes()
    for data in (other, b"", b"PK\x03\x04", whole[:10], whole[:-1], whole[: len(whole) // 2]):
        (tmp_path / "m.pth").write_bytes(data)
        with pytest.raises(CheckpointError, match="not a PyTorch checkpoint"):
            torch_checkpoint.read(tmp_path / "m.pth")


def test_the_published_checkpoint_is_read_completely() -> None:
    read = torch_checkpoint.read(fetch().path)
    counters = {name for name in read if name.endswith("num_batches_tracked")}
    parameters = sum(tensor.size for name, tensor in read.items() if name not in counters)
    statistics = sum(tensor.size for name, tensor in read.items() if "running_" in name)
    # "4.7M" in the table of parameters in the README of tensorflow/tpu, efficientnet/lite.
    assert parameters - statistics == 4_652_008
    assert read["_fc.weight"].shape == (1000, 1280)
    assert all(np.isfinite(tensor).all() for tensor in read.values())
