"""What the benchmark of the sandbox puts in its place decodes the same."""

from unittest.mock import patch

import numpy as np

from bench.isolation import WITHOUT_SANDBOX
from shared.vision.decode import decoders, decoding
from tests.images import encoded, pixels


def test_without_the_sandbox_an_image_is_decoded_in_this_process() -> None:
    data = encoded(pixels("coffee.png"))
    with patch.object(decoding, "SANDBOX", WITHOUT_SANDBOX):
        found = decoding.decode(data)
    assert np.array_equal(found.rgb, decoders.decode_in_process(data).rgb)
