"""Find overlays (captions, logos, stickers, borders), and which of two images they are on.

An overlay covers content that the other image still shows. In the other image, the region continues its surroundings;
in the image with the overlay, it does not. If it continues them in both (something moved) or in neither (two captions,
two numbers), the images differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.differences import WINDOW, Agreement, Region
from shared.vision.evidence.layers import flat_share, translucent_share
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

BINS: Final = 16
CHANGED: Final = 18.0
"""Least difference in gray levels of a pixel that counts as part of an overlay."""
RING: Final = 0.35
"""Width of a region's surroundings, as a fraction of its smaller side; at least `LEAST_RING` pixels."""
LEAST_RING: Final = 12
FEW_LEVELS: Final = 0.8
"""Share of pixels in the three commonest gray levels: at least 0.84 for the pages, charts, codes and screens of
`bench.negatives`, at most 0.68 for 45 photographs."""
SHARP_LEVELS: Final = 0.65
"""Share of the pixels in four levels of a page, each 6 of 256 wide: at least 0.7 for 88 of 100 drawn and scanned pages,
charts and screens, at most 0.5 for 95 of 100 photographs, of which 9 have the three wider levels of a page."""
FOREIGN: Final = 0.42
"""Least difference of `Side.foreign` between the images; measured in `bench.negatives`."""
CONTINUES: Final = 0.8
"""Least share of a region's levels that also occur in its surroundings, if it continues them."""
NO_SEAM: Final = 0.3
CONTINUES_WELL, OUTLINED, FLAT_LAYER = 0.9, 0.1, 0.7
CLEARLY_OUTLINED: Final = 0.5
MUCH_MORE_FOREIGN, NEARLY_CONTINUES = 1.0, 0.7
FLATTENED, FLATTER = 0.85, 0.25
LEAST_FLAT: Final = 0.4
SMALL: Final = 0.12
"""Regions up to this share of the largest overlay belong to it."""
MOST_PATCHES: Final = 5
MANY: Final = 10
"""Number of separate things drawn, above which a page has content of its own; icons and logos have fewer."""
LEAST_PATCH: Final = 0.003
"""Least share of the overlap that the box of a patch on a page covers; icons and digits are smaller."""
LEAST_AREA: Final = 50
COMPACT: Final = 0.4
"""Least share of its box that a patch fills; a disc fills 0.79, a star 0.42."""
GROUND: Final = 14.0
LEAST_SOLID: Final = 0.25
"""Least share of a patch in which its ground is as wide as a fifth of it; strokes of letters are narrower."""
LEAST_COVERED: Final = 0.1
LEAST_DETAIL: Final = 10.0
"""Least share of a patch, on a page, that covers letters or lines, which have at least this standard deviation."""
LEAST_GROUND: Final = 0.45
MOST_ELSEWHERE: Final = 0.25
"""A patch's ground: maximum deviation in gray levels, least share of its rim, maximum share around it as a part of
that. Letters do not fill their outline."""
MOST_STRANGE: Final = 0.3
"""Share of a patch's levels that its surroundings have, below which it needs no ground: an image on a page."""
FOREIGN_BORDER: Final = 0.5
"""Share of a border's levels that its surroundings have, below which it needs no contrast with what it covers."""
FLAT: Final = 6.0
"""Maximum standard deviation of a border, in gray levels."""


class OverlaidImage(IntEnum):
    """The image that an overlay is on."""

    NEITHER = -1
    FIRST = 0
    SECOND = 1


@dataclass(frozen=True, slots=True)
class Side:
    """A region as one image shows it.

    Attributes:
        fits: share of its levels that also occur in its surroundings, 0 to 1.
        plain: share of its two commonest levels, high for letters and boxes, 0 to 1.
        seam: logarithm of the ratio of the gradient on its outline to that of its surroundings.
        flat: share that is up to three flat layers over the other image, 0 to 1.
        through: share that is one translucent layer over the other image, 0 to 1.
    """

    fits: float
    plain: float
    seam: float
    flat: float
    through: float

    @property
    def foreign(self) -> float:
        return self.seam + 0.8 * self.plain - 1.5 * self.fits

    @property
    def continues(self) -> bool:
        return self.fits >= CONTINUES and self.seam <= NO_SEAM


def is_page(found: Agreement, least: float = FEW_LEVELS) -> bool:
    """Return whether both images are pages, charts, codes or screens, whose text is content and not an overlay.

    Args:
        least: share of pixels that the three commonest gray levels must have.
    """
    return min(_few_levels(plane[found.valid]) for plane in (found.a, found.b)) > least


def _has_sharp_levels(found: Agreement) -> bool:
    """Return whether the commonest levels of both images are those of a flat ground and ink, not of a blurred scene."""
    return min(_few_levels(plane[found.valid], 4, 8 * BINS) for plane in (found.a, found.b)) > SHARP_LEVELS


def _few_levels(values: npt.NDArray[np.float32], most: int = 3, bins: int = 2 * BINS) -> float:
    """Return the share of the commonest levels, each with its neighbours."""
    counts = np.histogram(values, bins, (0, 256))[0] / len(values)
    total = 0.0
    for _ in range(most):
        first = int(counts.argmax())
        near = slice(max(0, first - 1), first + 2)
        total += float(counts[near].sum())
        counts[near] = 0
    return total


def find_overlays(
    found: Agreement, parts: Sequence[Region], colours: tuple[Pixels, Pixels]
) -> tuple[OverlaidImage, list[bool]]:
    """Return which image has overlays, and which of the differing regions are overlays.

    If both images have overlays, the result is `NEITHER` and no region, because each then shows something of its own.
    """
    nobody = OverlaidImage.NEITHER, [False] * len(parts)
    if not parts:
        return nobody
    shown = [_sides(found, part) for part in parts]
    margins = [_border(found, part, each) for part, each in zip(parts, shown, strict=True)]
    if is_page(found) and _has_sharp_levels(found):
        return _find_patches(found, parts, shown, margins)
    coloured = [_sides(found, part, colours) for part in parts]
    on = [
        _first_found(
            margin, _overlaid_image(*each), _overlaid_image(*other), _patched_image(found, part, each, page=False)
        )
        for margin, each, other, part in zip(margins, shown, coloured, parts, strict=True)
    ]
    on = [_unless_coloured(place, other) for place, other in zip(on, coloured, strict=True)]
    places = {place for place in on if place is not OverlaidImage.NEITHER}
    if len(places) != 1:
        return nobody
    place = places.pop()
    largest = max(part.area for part, here in zip(parts, on, strict=True) if here is place)
    belongs = [
        here is place or _belongs(each[place], each[1 - place], part.area / largest)
        for part, here, each in zip(parts, on, shown, strict=True)
    ]
    return place, belongs


def _unless_coloured(place: OverlaidImage, coloured: tuple[Side, Side]) -> OverlaidImage:
    """Return the image with an overlay, or neither if what it would cover has colours that its surroundings lack."""
    if place is OverlaidImage.NEITHER or coloured[1 - place].fits >= NEARLY_CONTINUES:
        return place
    return OverlaidImage.NEITHER


def _belongs(over: Side, under: Side, size: float) -> bool:
    """Return whether a region belongs to an overlay whose largest region is 1 / `size` times as large."""
    if size <= SMALL and under.fits >= CONTINUES:
        return True
    layered = over.flat >= FLAT_LAYER and over.foreign - under.foreign > FOREIGN / 2
    return size <= 1 and layered and under.fits >= CONTINUES_WELL and under.seam <= NO_SEAM


def _first_found(*places: OverlaidImage) -> OverlaidImage:
    return next((place for place in places if place is not OverlaidImage.NEITHER), OverlaidImage.NEITHER)


def _find_patches(
    found: Agreement, parts: Sequence[Region], shown: Sequence[tuple[Side, Side]], margins: Sequence[OverlaidImage]
) -> tuple[OverlaidImage, list[bool]]:
    """Return which page has patches laid over it, and which regions they are.

    Letters are a page's content, so only a patch with a ground of its own is an overlay, and only if nothing else
    differs.
    """
    nobody = OverlaidImage.NEITHER, [False] * len(parts)
    if cv2.connectedComponents(found.drawn.astype(np.uint8))[0] <= MANY:
        return nobody
    on = [
        _first_found(margin, _patched_image(found, part, each, page=True))
        for part, each, margin in zip(parts, shown, margins, strict=True)
    ]
    patches = [part for part, place in zip(parts, on, strict=True) if place is not OverlaidImage.NEITHER]
    places = set(on) - {OverlaidImage.NEITHER}
    if len(places) != 1 or len(patches) > MOST_PATCHES:
        return nobody
    left = [part for part, place in zip(parts, on, strict=True) if place is OverlaidImage.NEITHER]
    if not all(any(_inside(part.box, patch.box) for patch in patches) for part in left):
        return nobody
    return places.pop(), [True] * len(parts)


def _inside(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return all(
        other[axis] - LEAST_RING <= box[axis]
        and box[axis] + box[axis + 2] <= other[axis] + other[axis + 2] + LEAST_RING
        for axis in (0, 1)
    )


def _patched_image(found: Agreement, region: Region, shown: tuple[Side, Side], page: bool) -> OverlaidImage:
    """Return the image on which a region is a compact patch with a ground that its surroundings do not have."""
    left, top, width, height = region.box
    if width * height < LEAST_PATCH * found.valid.sum() or min(width, height) < LEAST_RING:
        return OverlaidImage.NEITHER
    rows = slice(max(0, top - 2 * LEAST_RING), top + height + 2 * LEAST_RING)
    columns = slice(max(0, left - 2 * LEAST_RING), left + width + 2 * LEAST_RING)
    mask, valid = region.mask[rows, columns].astype(np.uint8), found.valid[rows, columns]
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(mask), outlines, -1, 1, cv2.FILLED)
    inside = (cv2.erode(filled, np.ones((5, 5), np.uint8)) > 0) & valid
    close = cv2.dilate(filled, np.ones((9, 9), np.uint8)) > 0
    ring = (cv2.dilate(filled, np.ones((2 * LEAST_RING + 1,) * 2, np.uint8)) > 0) & ~close & valid
    if filled.sum() < COMPACT * width * height or inside.sum() < LEAST_AREA or ring.sum() < LEAST_AREA:
        return OverlaidImage.NEITHER
    planes = [plane[rows, columns] for plane in (found.a, found.b)]
    rim = inside & ~(cv2.erode(filled, np.ones((13, 13), np.uint8)) > 0)
    first, second = ((_ground(plane, inside, rim), _ground(plane, inside, ring)) for plane in planes)
    fits = [_fits(plane, inside, ring) for plane in planes]
    solid = [not page or _is_solid(plane, inside, width, height) for plane in planes]
    laid = [
        (rimmed > LEAST_GROUND and there < MOST_ELSEWHERE * rimmed and whole) or (page and strange < MOST_STRANGE)
        for (rimmed, there), strange, whole in zip((first, second), fits, solid, strict=True)
    ]
    around = [there > LEAST_GROUND for _, there in (first, second)]
    if page:
        # What a patch covers on a page goes on around it: its ground, or letters and lines.
        covered = [float(_detailed(plane)[inside].mean()) > LEAST_COVERED for plane in planes]
        goes_on = [
            near or (fit >= CONTINUES_WELL and there) for near, fit, there in zip(around, fits, covered, strict=True)
        ]
    else:
        goes_on = [each.continues for each in shown]
    if laid[0] and goes_on[1]:
        return OverlaidImage.FIRST
    return OverlaidImage.SECOND if laid[1] and goes_on[0] else OverlaidImage.NEITHER


def _detailed(plane: Plane) -> Mask:
    """Return where a page shows letters, lines or edges."""
    mean = cv2.boxFilter(plane, cv2.CV_32F, (WINDOW, WINDOW))
    found: Mask = cv2.boxFilter(plane * plane, cv2.CV_32F, (WINDOW, WINDOW)) - mean * mean > LEAST_DETAIL**2
    return found


def _is_solid(plane: Plane, inside: Mask, width: int, height: int) -> bool:
    """Return whether a region's commonest level fills a part of it, as the strokes of letters do not."""
    at = inside & (np.abs(plane - _commonest(plane, inside)) < GROUND)
    side = max(WINDOW, round(min(width, height) / 5))
    opened = cv2.morphologyEx(at.astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return float(opened.sum()) > LEAST_SOLID * inside.sum()


def _commonest(plane: Plane, inside: Mask) -> float:
    return float(np.histogram(plane[inside], 2 * BINS, (0, 256))[0].argmax() * 8 + 4)


def _ground(plane: Plane, inside: Mask, at: Mask) -> float:
    """Return how much of `at` has the commonest level of a region, 0 to 1."""
    return float((np.abs(plane[at] - _commonest(plane, inside)) < GROUND).mean()) if at.any() else 0.0


def _overlaid_image(first: Side, second: Side) -> OverlaidImage:
    if _lies_over(first, second):
        return OverlaidImage.FIRST
    return OverlaidImage.SECOND if _lies_over(second, first) else OverlaidImage.NEITHER


def _lies_over(over: Side, under: Side) -> bool:
    """Return whether what one image shows in a region lies over what the other one shows there."""
    more, outlined = over.foreign - under.foreign, over.seam - max(0.0, under.seam)
    if over.flat < LEAST_FLAT:
        return False
    if under.seam > NO_SEAM:
        return under.fits >= CONTINUES_WELL and outlined > CLEARLY_OUTLINED and more > FOREIGN
    if more > FOREIGN and under.fits >= (CONTINUES if more < MUCH_MORE_FOREIGN else NEARLY_CONTINUES):
        return True
    drawn = outlined > max(OUTLINED, under.seam) and over.flat >= FLAT_LAYER
    flattened = over.flat >= FLATTENED and over.flat - under.flat > FLATTER
    translucent = over.seam > under.seam and over.through >= FLAT_LAYER > under.through
    return under.fits >= CONTINUES_WELL and (drawn or flattened or translucent)


def _border(found: Agreement, part: Region, shown: tuple[Side, Side]) -> OverlaidImage:
    """Return the image in which a region is a flat border, or a corner of one, at the edge of the overlap."""
    rim = found.valid & ~(cv2.erode(found.valid.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0) > 0)
    if not (rim & part.mask).any():
        return OverlaidImage.NEITHER
    changed = (part.mask & (np.abs(found.a - found.b) > CHANGED)).astype(np.uint8)
    # Its soft edges are not flat.
    seen = cv2.erode(changed, np.ones((3, 3), np.uint8)) > 0
    seen = seen if seen.any() else changed > 0
    if not seen.any():
        return OverlaidImage.NEITHER
    spread = float(found.a[seen].std()), float(found.b[seen].std())
    for place in (OverlaidImage.FIRST, OverlaidImage.SECOND):
        over, under = shown[place], shown[1 - place]
        goes_on = spread[1 - place] >= 2 * FLAT or (under.fits >= CONTINUES and over.fits < FOREIGN_BORDER)
        if spread[place] <= FLAT and goes_on and not over.continues:
            return place
    return OverlaidImage.NEITHER


def _sides(found: Agreement, region: Region, colours: tuple[Pixels, Pixels] | None = None) -> tuple[Side, Side]:
    """Return how both images show a region, in gray levels or in the colour channel in which it differs most."""
    left, top, width, height = region.box
    margin = max(LEAST_RING, round(RING * min(width, height)))
    rows = slice(max(0, top - 2 * margin), top + height + 2 * margin)
    columns = slice(max(0, left - 2 * margin), left + width + 2 * margin)
    mask, valid = region.mask[rows, columns], found.valid[rows, columns]
    size = 2 * margin + 1
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    close = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    ring = wide & ~close & valid & ~found.differs[rows, columns]
    planes = [(found.a[rows, columns], found.b[rows, columns])]
    if colours:
        planes = list(zip(*(cv2.split(image[rows, columns].astype(np.float32)) for image in colours), strict=True))
    a, b = max(planes, key=lambda pair: float(np.abs(pair[0] - pair[1])[mask].mean()))
    changed = mask & (np.abs(a - b) > CHANGED)
    if ring.sum() < 50 or changed.sum() < 10:  # noqa: PLR2004 - too little to judge by
        nothing = Side(0.0, 0.0, 0.0, 0.0, 0.0)
        return nothing, nothing
    outline = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8)) > 0
    outline &= valid
    return _side(a, b, changed, ring, outline), _side(b, a, changed, ring, outline)


def _side(plane: Plane, other: Plane, changed: Mask, ring: Mask, outline: Mask) -> Side:
    inside, fits = _levels(plane[changed]), _fits(plane, changed, ring)
    spread = np.convolve(inside, np.ones(3), "same")
    first = int(spread.argmax())
    rest = inside.copy()
    rest[max(0, first - 1) : first + 2] = 0
    plain = float(spread[first] + np.convolve(rest, np.ones(3), "same").max())
    slope = np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1))
    seam = float(np.log((slope[outline].mean() + 10) / (slope[ring].mean() + 10)))
    on, under = plane[changed], other[changed]
    return Side(fits, min(1.0, plain), seam, flat_share(on, under), translucent_share(on, under))


def _fits(plane: Plane, inside: Mask, ring: Mask) -> float:
    """Return the share of a region's levels that also occur in its surroundings, 0 to 1."""
    # How much of a level there is varies from place to place.
    usual = np.minimum(1.0, _levels(plane[ring]) / 0.02)
    return float((_levels(plane[inside]) * usual).sum())


def _levels(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    counts = np.histogram(values, BINS, (0, 256))[0] / len(values)
    return np.convolve(np.pad(counts, 1, mode="symmetric"), (0.25, 0.5, 0.25), "valid")
