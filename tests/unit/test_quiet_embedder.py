"""The network is loaded without a word of LiteRT's: it would stand in the middle of a progress bar."""

from pathlib import Path

import numpy as np
import pytest

from shared.vision.embedding import Embedder


def test_loading_the_network_writes_nothing(model_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Embedder(model_dir).embed(np.zeros((224, 224, 3), np.uint8))
    assert capfd.readouterr() == ("", "")
