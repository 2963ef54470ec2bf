"""The active model: the one that searches use."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

CACHE_SECONDS: Final = 5
"""How long a process caches the active model."""


class ActiveModel(ABC):
    """Reads from a store which model searches use unless they name one.

    Args:
        model_ids: the models that this process has. A single model is active without a read; of several, the first is
            active if the store names none of them.
        clock: seconds that never go back.
    """

    def __init__(self, model_ids: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._model_ids = model_ids
        self._clock = clock
        self._cached: tuple[float, str] | None = None

    def __call__(self) -> str:
        if len(self._model_ids) == 1:
            return self._model_ids[0]
        if self._cached is None or self._clock() >= self._cached[0] + CACHE_SECONDS:
            stored = self.stored()
            self._cached = (self._clock(), stored if stored and stored in self._model_ids else self._model_ids[0])
        return self._cached[1]

    @abstractmethod
    def stored(self) -> str | None:
        """Return the id that the store names, whether or not this process has the model."""

    @abstractmethod
    def switch(self, model: str) -> None: ...
