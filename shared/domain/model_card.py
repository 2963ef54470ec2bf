"""The description that an exported model carries."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

CARD_FILE: Final = "model.json"
MODEL_FILE: Final = "model.tflite"
LABELS_FILE: Final = "labels.json"
EXPORT_COMMAND: Final = "python -m layers.models.export --out"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of an export.

    Attributes:
        network: display name of the network.
        instead_of: the network that this one replaces because its weights were not available, or None.
        least_probability: minimum probability of a class for an image to be labelled with it.
    """

    id: str
    network: str
    has_labels: bool
    instead_of: str | None = None
    least_probability: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the card of the export in `folder`; only its `id` is required.

        Raises:
            FileNotFoundError: the folder has no card.
        """
        card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        return cls(
            id=card["id"],
            network=card.get("network", card["id"]),
            has_labels=card.get("has_labels", False),
            instead_of=card.get("instead_of"),
            least_probability=card.get("least_probability", 0.0),
        )

    @property
    def notice(self) -> str | None:
        """A notice for users that the model replaces another, or None if it does not."""
        if self.instead_of is None:
            return None
        return (
            f"Features and labels come from {self.network} ({self.id}), because the ImageNet weights of "
            f"{self.instead_of} were not available here."
        )
