"""Fixtures of the client's tests: a client of the running system."""

from collections.abc import Iterator

import pytest

from pictrace import Client
from tests.conftest import PicTrace


@pytest.fixture
def client(running: PicTrace) -> Iterator[Client]:
    with Client(running.url) as opened:
        yield opened
