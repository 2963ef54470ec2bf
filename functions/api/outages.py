"""Errors of the adapters that pass by themselves."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outages:
    """The errors that the adapters of a process raise when a service fails.

    Attributes:
        is_transient: returns whether the same call may succeed later; other errors are defects.
        sentence: what the caller is told during an outage.
    """

    errors: Collection[type[Exception]]
    is_transient: Callable[[Any], bool]
    sentence: str
