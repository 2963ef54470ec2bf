"""A LiteRT network with one image in."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]


class Network:
    """A LiteRT file, loaded when it is first used. Safe to share between threads, which take turns.

    It uses one thread: these networks are too small for more.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._interpreter: Any = None
        self._lock = threading.Lock()

    def run(self, pixels: npt.NDArray[Any]) -> list[Values]:
        """Return all outputs for one image, without the dimension of the batch.

        Args:
            pixels: height x width x 3, of the type and size that the network takes.
        """
        with self._lock:
            interpreter = self._load()
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[np.newaxis])
            interpreter.invoke()
            return [interpreter.get_tensor(output["index"])[0] for output in interpreter.get_output_details()]

    def _load(self) -> Any:
        if self._interpreter is None:
            from ai_edge_litert.interpreter import Interpreter

            self._interpreter = Interpreter(str(self._file), num_threads=1)
            self._interpreter.allocate_tensors()
        return self._interpreter
