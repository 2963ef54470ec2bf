"""How far the network says the same of two images."""

import math
from collections.abc import Iterable

from shared.domain.images import Label


def shared_labels(a: Iterable[Label], b: Iterable[Label]) -> float:
    """Return the Bhattacharyya coefficient of two images' class probabilities, 0 to 1.

    Only labels that both images have count. Images of one kind of thing that differ in what is around it have a low
    cosine, but the same label; `python -m bench.training.fit_look_alikes` measures what that adds.
    """
    probabilities = {label.name: label.probability for label in b}
    return min(1.0, sum(math.sqrt(label.probability * probabilities.get(label.name, 0.0)) for label in a))
