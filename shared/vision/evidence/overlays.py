"""Find overlays (captions, logos, stickers, borders), and which of two images they are on.

An overlay covers content that the other image still shows. In the other image, the region continues its surroundings;
in the image with the overlay, it does not. If it continues them in both (something moved) or in neither (two captions,
two numbers), the images differ.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Final

import numpy as np

from shared.vision.evidence.bands import joined_in_bands
from shared.vision.evidence.crossings import is_bar, lie_across
from shared.vision.evidence.differences import WINDOW, Agreement, PixelBox, Region
from shared.vision.evidence.foreign import laid_over_page
from shared.vision.evidence.masks import dilated, filled
from shared.vision.evidence.pages import is_page
from shared.vision.evidence.patches import patched_image
from shared.vision.evidence.sides import (
    CHANGED,
    CONTINUES,
    LEAST_RING,
    NO_SEAM,
    OverlaidImage,
    Side,
    known_share,
    sides_of,
)
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

FOREIGN: Final = 0.42
"""Least difference of `Side.foreign` between the images; measured in `bench.negatives`."""
MUCH_MORE_FOREIGN, NEARLY_CONTINUES = 1.0, 0.7
"""The same difference of a bar with nothing in common with what is around it, and the least share for `CONTINUES` then:
what a wide bar covers at an image's edge has surroundings on one side only."""
KNOWN, KNOWN_UNDER_BAR = 0.9, 0.8
"""Least `Side.known` of what an overlay covers, and of what a bar along a whole edge does: that has at least 0.87, the
others 0.94. Where another person in other clothes came into a scene, it is 0.3 to 0.93."""
KNOWN_ON_PAGE: Final = 0.85
"""The same of all that lies over a page but a bar along an edge: of 114 drawings with overlays, all have at least 0.95,
and a keyboard of which other keys are lit has 0.77."""
BOTH_FLAT: Final = (0.8, 0.97)
"""`Side.flat` of both images in a large region in which both show something of their own. Bars have more, and what a
photograph shows there has less, or more if it is the sky."""
ALL_FLAT: Final = 0.95
"""Least `Side.flat` of a sticker in the colours of the scene that it is on."""
LEAST_SHOWN: Final = 0.02
"""Least size of what is shown in the hole of a solid region, relative to the region."""
RECTANGLE: Final = 0.95
"""Least share of its box that an upright rectangle fills: what is in a scene has other outlines."""
STROKE, SOLID = 21, 0.25
"""Pixels: width of strokes with the windows around them; and the least share of a region that is wider."""
LEAST_FLAT, LEAST_FLAT_LARGE, LARGE = 0.4, 0.6, 0.05
"""Least `Side.flat` of an overlay: small outlined letters on a photograph, half of whose pixels are soft edges, have
0.45. A region that covers more than `LARGE` of the overlap has 0.65 if drawn, and up to 0.55 if photographed."""
CONTINUES_WELL: Final = 0.9
"""Least share for `CONTINUES` where less evidence is asked for: faint letters, watermarks, thin lines."""
FLAT_LAYER: Final = 0.75
"""Least `Side.flat`, or `Side.through`, of these; what is photographed has up to 0.7."""
OUTLINED: Final = 0.1
"""Least difference of `Side.seam` of these, and no less than that of the other image itself."""
CLEARLY_OUTLINED: Final = 0.5
"""The same where what is covered has edges of its own."""
FLATTENED, FLATTER = 0.9, 0.25
"""Least `Side.flat`, and its least excess over the other image, that prove an overlay without an outline."""
SMALL: Final = 0.12
"""Regions up to this share of the largest overlay belong to it."""
MOST_PATCHES: Final = 5
MANY: Final = 10
"""Number of separate things drawn, above which a page has content of its own; icons and logos have fewer."""
FOREIGN_BORDER: Final = 0.5
"""Share of a border's levels that its surroundings have, below which it needs no contrast with what it covers."""
FRAME: Final = 0.9
"""Least share of the edge of the overlap of a border all around it, which is one on a page, too."""
FLAT: Final = 6.0
"""Maximum standard deviation of a border, in gray levels."""


def find_overlays(
    found: Agreement, parts: Sequence[Region], colours: tuple[Pixels, Pixels]
) -> tuple[OverlaidImage, Sequence[Region], list[bool]]:
    """Return which image has overlays, the differing regions, and which of them are overlays.

    If both images have overlays, the result is `NEITHER` and no region, because each then shows something of its own.
    Regions within a band across a photograph are replaced by the band.
    """
    if not parts:
        return OverlaidImage.NEITHER, parts, []
    page = is_page(found)
    bands = [OverlaidImage.NEITHER] * len(parts)
    if not page:
        parts, bands = joined_in_bands(found, parts)

    @cache
    def shown(index: int) -> tuple[Side, Side]:
        return sides_of(found, parts[index])

    if page:
        place, laid = _find_patches(found, parts, shown, colours)
        if place is not OverlaidImage.NEITHER and _is_of_both(found, parts, colours[1 - place]):
            place, laid = OverlaidImage.NEITHER, [False] * len(parts)
    else:
        place, laid = _find_over_photograph(found, parts, bands, shown, colours)
    return place, parts, laid


def _find_over_photograph(
    found: Agreement,
    parts: Sequence[Region],
    bands: Sequence[OverlaidImage],
    shown: Callable[[int], tuple[Side, Side]],
    colours: tuple[Pixels, Pixels],
) -> tuple[OverlaidImage, list[bool]]:
    nobody = OverlaidImage.NEITHER, [False] * len(parts)
    on: list[OverlaidImage] = []
    place = OverlaidImage.NEITHER
    for index, (part, band) in enumerate(zip(parts, bands, strict=True)):
        on.append(_image_with(found, part, shown(index), colours) if band is OverlaidImage.NEITHER else band)
        if place is OverlaidImage.NEITHER:
            place = on[-1]
        elif on[-1] not in (place, OverlaidImage.NEITHER):
            return nobody
    if place is OverlaidImage.NEITHER:
        return nobody
    largest = max(part.area for part, here in zip(parts, on, strict=True) if here is place)
    belongs = [
        here is place or _belongs(shown(index)[place], shown(index)[1 - place], part.area / largest)
        for index, (part, here) in enumerate(zip(parts, on, strict=True))
    ]
    return place, belongs


def _image_with(
    found: Agreement, part: Region, shown: tuple[Side, Side], colours: tuple[Pixels, Pixels]
) -> OverlaidImage:
    """Return the image on which a region is a border or an overlay, by the cheapest evidence that suffices."""
    place = _border(found, part, lambda: shown)
    if place is not OverlaidImage.NEITHER:
        return place
    large = part.area > LARGE * int(np.count_nonzero(found.valid))
    place = _overlaid_image(*shown, large)
    coloured = sides_of(found, part, colours)
    if place is OverlaidImage.NEITHER:
        place = _overlaid_image(*coloured, large)
    if place is OverlaidImage.NEITHER:
        place = patched_image(found, part, shown)
    return _unless_of_the_scene(found, place, shown, coloured, part)


def _unless_of_the_scene(
    found: Agreement, place: OverlaidImage, shown: tuple[Side, Side], coloured: tuple[Side, Side], part: Region
) -> OverlaidImage:
    """Return the image with an overlay, or neither if either image may show things of the scene.

    What an overlay would cover must not have colours that its surroundings lack; and a solid region in the colours of
    its surroundings that is neither upright and rectangular, nor flat, nor clearly outlined is a part of the scene that
    moved.
    """
    if place is OverlaidImage.NEITHER:
        return place
    over, covered = shown[place], coloured[1 - place]
    bar = is_bar(part, found.valid)
    if covered.fits < NEARLY_CONTINUES or covered.known < (KNOWN_UNDER_BAR if bar else KNOWN):
        return OverlaidImage.NEITHER
    if part.area >= RECTANGLE * part.box[2] * part.box[3] and min(part.box[2:]) >= STROKE:
        return place
    low, high = BOTH_FLAT
    if not bar and part.area > LARGE * found.valid.sum() and all(low < each.flat < high for each in shown):
        return OverlaidImage.NEITHER
    seams = (each[place].seam - max(0.0, each[1 - place].seam) for each in (shown, coloured))
    outlined = max(seams) > CLEARLY_OUTLINED and over.flat >= FLATTENED
    if _goes_around_content(found, part):
        return OverlaidImage.NEITHER
    blends = min(over.fits, coloured[place].fits) >= CONTINUES_WELL and over.flat < ALL_FLAT
    return OverlaidImage.NEITHER if blends and not outlined and _is_solid(part) else place


def _goes_around_content(found: Agreement, part: Region) -> bool:
    """Return whether both images show the same in a hole of a region: a thing of another colour, and its label."""
    left, top, width, height = part.box
    box = slice(top, top + height), slice(left, left + width)
    hole = filled(part.mask[box]) & ~part.mask[box]
    shown = found.drawn[box] & (cv2.erode(hole.view(np.uint8), np.ones((WINDOW, WINDOW), np.uint8), borderValue=0) > 0)
    return int(np.count_nonzero(shown)) > LEAST_SHOWN * part.area and _is_solid(part)


def _is_solid(part: Region) -> bool:
    """Return whether a region is wider than the strokes of letters and lines."""
    left, top, width, height = part.box
    mask = part.mask[top : top + height, left : left + width].astype(np.uint8)
    core = cv2.erode(mask, np.ones((STROKE, STROKE), np.uint8), borderValue=0)
    return float(core.sum()) > SOLID * part.area


def _belongs(over: Side, under: Side, size: float) -> bool:
    """Return whether a region belongs to an overlay whose largest region is 1 / `size` times as large."""
    if size <= SMALL and under.fits >= CONTINUES:
        return True
    layered = over.flat >= FLAT_LAYER and over.foreign - under.foreign > FOREIGN / 2
    return size <= 1 and layered and under.fits >= CONTINUES_WELL and under.seam <= NO_SEAM


def _find_patches(
    found: Agreement,
    parts: Sequence[Region],
    shown: Callable[[int], tuple[Side, Side]],
    colours: tuple[Pixels, Pixels],
) -> tuple[OverlaidImage, list[bool]]:
    """Return which page has something laid over it, and which regions that is.

    Letters are a page's content, so only what cuts them is an overlay, or a patch with a ground of its own, and only if
    nothing else differs.
    """
    nobody = OverlaidImage.NEITHER, [False] * len(parts)
    for place in (OverlaidImage.FIRST, OverlaidImage.SECOND):
        if lie_across(found, parts, shown, place, colours):
            return place, [True] * len(parts)
    many = cv2.connectedComponents(found.drawn.astype(np.uint8))[0] > MANY
    on = []
    for index, part in enumerate(parts):
        place = laid_over_page(found, part, partial(shown, index), colours)
        if place is OverlaidImage.NEITHER and many:
            place = _border(found, part, partial(shown, index))
            place = patched_image(found, part, None) if place is OverlaidImage.NEITHER else place
        on.append(place)
    patches = [part for part, place in zip(parts, on, strict=True) if place is not OverlaidImage.NEITHER]
    places = set(on) - {OverlaidImage.NEITHER}
    if len(places) != 1 or len(patches) > MOST_PATCHES:
        return nobody
    left = [part for part, place in zip(parts, on, strict=True) if place is OverlaidImage.NEITHER]
    if not all(any(_inside(part.box, patch.box) for patch in patches) for part in left):
        return nobody
    return places.pop(), [True] * len(parts)


def _is_of_both(found: Agreement, parts: Sequence[Region], covered: Pixels) -> bool:
    """Return whether the page that parts seem to cover has something of its own there, judging by its colours."""
    if all(is_bar(part, found.valid) for part in parts):
        return False
    mask = np.logical_or.reduce([part.mask for part in parts])
    changed = mask & (np.abs(found.a - found.b) > CHANGED)
    return known_share(covered, changed, found.valid & ~dilated(mask, LEAST_RING)) < KNOWN_ON_PAGE


def _inside(box: PixelBox, other: PixelBox) -> bool:
    return all(
        other[axis] - LEAST_RING <= box[axis]
        and box[axis] + box[axis + 2] <= other[axis] + other[axis + 2] + LEAST_RING
        for axis in (0, 1)
    )


def _overlaid_image(first: Side, second: Side, large: bool) -> OverlaidImage:
    if _lies_over(first, second, large):
        return OverlaidImage.FIRST
    return OverlaidImage.SECOND if _lies_over(second, first, large) else OverlaidImage.NEITHER


def _lies_over(over: Side, under: Side, large: bool) -> bool:
    """Return whether what one image shows in a region lies over what the other one shows there."""
    more, outlined = over.foreign - under.foreign, over.seam - max(0.0, under.seam)
    foreign = more > FOREIGN and under.fits >= (CONTINUES if more < MUCH_MORE_FOREIGN else NEARLY_CONTINUES)
    goes_on_well = under.fits >= CONTINUES_WELL
    # What is flat takes longest to tell.
    if not (foreign or goes_on_well) or over.flat < (LEAST_FLAT_LARGE if large else LEAST_FLAT):
        return False
    if under.seam > NO_SEAM:
        return goes_on_well and outlined > CLEARLY_OUTLINED and over.flat >= FLAT_LAYER and more > FOREIGN
    if foreign:
        return True
    drawn = outlined > max(OUTLINED, under.seam) and over.flat >= FLAT_LAYER
    flattened = over.flat >= FLATTENED and over.flat - under.flat > FLATTER
    return drawn or flattened or (over.seam > under.seam and over.through >= FLAT_LAYER > under.through)


def _border(found: Agreement, part: Region, shown: Callable[[], tuple[Side, Side]]) -> OverlaidImage:
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
    if (rim & part.mask).sum() > FRAME * rim.sum() and min(spread) <= FLAT:
        return OverlaidImage(int(np.argmin(spread)))
    if min(spread) > FLAT:
        return OverlaidImage.NEITHER
    for place in (OverlaidImage.FIRST, OverlaidImage.SECOND):
        over, under = shown()[place], shown()[1 - place]
        goes_on = spread[1 - place] >= 2 * FLAT or (under.fits >= CONTINUES and over.fits < FOREIGN_BORDER)
        if spread[place] <= FLAT and goes_on and not over.continues:
            return place
    return OverlaidImage.NEITHER
