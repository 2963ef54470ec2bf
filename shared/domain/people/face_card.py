"""The description that the exported networks for faces carry."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

CARD_FILE: Final = "faces.json"
SHORT_RANGE_FILE: Final = "short_range.tflite"
FULL_RANGE_FILE: Final = "full_range.tflite"
MESH_FILE: Final = "mesh.tflite"
EMBEDDER_FILE: Final = "embedder.tflite"
EXPORT_COMMAND: Final = "make faces"

SAME: Final = 0.50
"""The distance up to which two faces are usually one person, for every embedder: dlib's own values are not scaled."""
MESH_LANDMARKS: Final = 468
LEAST_POINTS: Final = 2
"""A similarity has four unknowns."""


DLIB_LANDMARKS: Final = ((249,), (382,), (7,), (155,), (2,))
"""The landmarks nearest to the five of dlib, in its order, over 42 faces (medians 1.6 to 2.1 pixels of a chip): its
corners of the eyes are not quite the mesh's."""


@dataclass(frozen=True, slots=True)
class FaceCard:
    """The card of an export: all that a program must know of an embedder besides its file.

    Attributes:
        id: `face_model` of every face.
        title: display name of the embedder.
        side: of the chips that the embedder takes, in pixels.
        points: where the points of `landmarks` are in a chip, in shares of its side.
        landmarks: the points of a face by which its chip is cut, each as landmarks of the mesh that are averaged.
        mean: what is subtracted from each channel, in the order of the input; None for an embedder that takes bytes.
        scale: what the result is divided by.
        order: of the channels of the input, `RGB` or `BGR`.
        unit: whether the values are divided by their length, because the embedder was trained for cosines.
        same: the greatest distance at which two faces are usually one person; the values are scaled so that it becomes
            `SAME`, for which the rules of persons are made.
    """

    id: str
    title: str
    side: int
    points: tuple[tuple[float, float], ...]
    landmarks: tuple[tuple[int, ...], ...] = DLIB_LANDMARKS
    mean: tuple[float, float, float] | None = None
    scale: float = 1.0
    order: str = "RGB"
    unit: bool = False
    same: float = SAME

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the card of the export in `folder`.

        Raises:
            FileNotFoundError: the folder has no card.
        """
        card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        return cls.of({name: card[name] for name in card if name in {field.name for field in fields(cls)}})

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return a card from values of JSON.

        Raises:
            ValueError: a value is missing, has an unknown name or is not possible; the message says which.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        missing = {"id", "title", "side", "points"} - set(values)
        if unknown or missing:
            raise ValueError(f"{', '.join(sorted(unknown or missing))} {'is unknown' if unknown else 'is missing'}")
        mean = values.get("mean")
        card = cls(
            **{
                **values,
                "points": tuple((float(x), float(y)) for x, y in values["points"]),
                "landmarks": tuple(
                    tuple(int(one) for one in group) for group in values.get("landmarks", DLIB_LANDMARKS)
                ),
                "mean": None if mean is None else (float(mean[0]), float(mean[1]), float(mean[2])),
            }
        )
        if len(card.landmarks) != len(card.points) or len(card.points) < LEAST_POINTS or not all(card.landmarks):
            raise ValueError(f"landmarks and points must be as many, and at least {LEAST_POINTS}")
        if any(not 0 <= one < MESH_LANDMARKS for group in card.landmarks for one in group):
            raise ValueError(f"landmarks must be from 0 to {MESH_LANDMARKS - 1}")
        if card.order not in {"RGB", "BGR"} or not card.scale > 0 or not card.same > 0:
            raise ValueError("order must be RGB or BGR, and scale and same must be positive")
        return card

    def to_json(self, provenance: dict[str, object]) -> str:
        """Return the card's file, with what is said of its origin for people."""
        return json.dumps(asdict(self) | provenance, indent=2) + "\n"
