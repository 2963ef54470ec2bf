"""What an exported model says of itself."""

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
        network: its name for people.
        instead_of: the network that was asked for but whose weights could not be had, or None.
        least_probability: of a class that an image is labelled with.
    """

    id: str
    network: str
    has_labels: bool
    instead_of: str | None = None
    least_probability: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the card of the export in `folder`; a network of one's own may say no more than its id.

        Raises:
            FileNotFoundError: there is no export.
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
        """What a person should know of the model, or None if it is the one that was asked for."""
        if self.instead_of is None:
            return None
        return (
            f"Features and labels are those of {self.network} ({self.id}), because the ImageNet weights of "
            f"{self.instead_of} could not be had here."
        )
