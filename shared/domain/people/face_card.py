"""The description that the exported networks for faces carry."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

CARD_FILE: Final = "faces.json"
SHORT_RANGE_FILE: Final = "short_range.tflite"
FULL_RANGE_FILE: Final = "full_range.tflite"
MESH_FILE: Final = "mesh.tflite"
EMBEDDER_FILE: Final = "embedder.tflite"
EXPORT_COMMAND: Final = "make faces"


@dataclass(frozen=True, slots=True)
class FaceCard:
    """The card of an export.

    Attributes:
        id: the embedder's: `face_model` of every face.
        title: display name of the embedder.
        side: of the chips that the embedder takes, in pixels.
        points: where the outer and the inner corner of the eye on the right, those of the eye on the left, and the base
            of the nose are in a chip, in shares of its side.
    """

    id: str
    title: str
    side: int
    points: tuple[tuple[float, float], ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the card of the export in `folder`.

        Raises:
            FileNotFoundError: the folder has no card.
        """
        card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        return cls(card["id"], card["title"], card["side"], tuple((float(x), float(y)) for x, y in card["points"]))

    def to_json(self, provenance: dict[str, object]) -> str:
        """Return the card's file, with what is said of its origin for people."""
        return json.dumps(asdict(self) | provenance, indent=2) + "\n"
