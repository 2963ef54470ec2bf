"""Evidence of an image's quality, by which the best of several copies is chosen."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

BAND: Final = 0.25
"""Width of a band of the spectrum, in octaves."""
FIRST_BAND: Final = 3.0
"""Base-2 logarithm of the lowest frequency of the first band, in cycles per longer side."""

COARSER: Final = 1.3
"""Ratio of quantisation steps from which on one image is more compressed than another."""
LEAST_STEP: Final = 2.5
"""Steps up to this one, times `COARSER`, cannot be told from the rounding of pixels."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of one file.

    Attributes:
        spectrum: power in dB, one value for each quarter octave of cycles per longer side, up to the Nyquist frequency.
            Copies of one image agree in it wherever both have the detail, whatever their sizes.
        halo: overshoot beside the strongest edges, in shares of their height; sharpening raises it.
        clipped_edges: share of the strongest edges that reach black or white, 0 to 1.
        noise: standard deviation of the noise in the smoothest parts, in gray levels.
        replicated: share of columns and rows that repeat their neighbour, 0 to 1: 0.5 if enlarged twice without
            interpolation.
        step: mean quantisation step of the file's low frequencies, from its header; 0 if it is not a JPEG.
        earlier_step: the same as the pixels show it, of any JPEG that they went through; 0 if they show none.
        raw: whether it is a camera's raw file.
        camera: whether it has the camera's own metadata.
        edited: whether its metadata names a program that edits images, or another size than it has.
    """

    spectrum: tuple[float, ...] = ()
    halo: float = 0.0
    clipped_edges: float = 0.0
    noise: float = 0.0
    replicated: float = 0.0
    step: float = 0.0
    earlier_step: float = 0.0
    raw: bool = False
    camera: bool = False
    edited: bool = False

    @property
    def worst_step(self) -> float:
        """The coarsest quantisation that the pixels went through; 0 if none is known."""
        return self.earlier_step if self.saved_again else self.step

    @property
    def saved_again(self) -> bool:
        """Whether the pixels were compressed more before than the file is now."""
        return self.earlier_step > COARSER * max(self.step, LEAST_STEP)

    @property
    def original(self) -> bool:
        """Whether the file is as the camera wrote it, judging by its metadata."""
        return self.raw or (self.camera and not self.edited)

    def to_text(self) -> str:
        """Return the evidence as about 300 characters of JSON, without values that are 0 or false."""
        values = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(values, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the evidence that `to_text` wrote; names that this version does not know are ignored."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in known}
        return cls(**values | {"spectrum": tuple(values.get("spectrum", ()))})
