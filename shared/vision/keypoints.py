"""Detect and match ORB keypoints, and estimate the homography between two images.

E. Rublee, V. Rabaud, K. Konolige, G. Bradski: ORB: an efficient alternative to SIFT or SURF, ICCV 2011.
"""

from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.matches import OrbScore
from shared.vision.hamming import nearest_two
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import MAX_PARTS, longest_side, parts_of, resize_longest

MAX_KEYPOINTS: Final = 500
PART_SHARE: Final = 2
"""A part of a long image has this number of times fewer keypoints than a whole image."""
MAX_LONG_KEYPOINTS: Final = MAX_PARTS * MAX_KEYPOINTS // PART_SHARE
"""Maximum that is stored of a long image."""
LONGEST_SIDE: Final = 512
"""Pixels: keypoints are detected on the gray image scaled to this longest side, with its proportions kept;
docs/explanation/ranking.md explains the choice."""

ORB_EDGE: Final = 31
"""Width in pixels of the border without keypoints: OpenCV's default, the size of a descriptor's patch."""

QUERY_KEYPOINTS: Final = 1500
"""Maximum for a query, which is not stored: a copy may be a small part of it."""

PART_SIDE: Final = 256
"""Longest side, in pixels, of a query that may be a small part of a stored image: about the size of that part."""

PART_EDGE: Final = 16
"""Border of such a query, instead of `ORB_EDGE`: a border of 31 would leave half of 256 x 192 pixels."""

FINE_KEYPOINTS: Final = 3000
"""Maximum for the second pass of a search, at full resolution: at 512 pixels, an inset of a third has only 170."""

CORNER_CONTRAST: Final = 7
"""FAST's threshold in gray levels; OpenCV's default of 20 finds few corners in dark images."""

LEVELS, QUERY_LEVELS = 8, 10
"""Levels of the image pyramid; each is 1.2 times smaller than the one before."""

LEAST_SIDE: Final = 8
"""Pixels: a shorter side does not hold two neighbouring windows of SSIM."""

GRID: Final = 6

LOWE_RATIO: Final = 0.8
"""D. Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004, section 7.1."""

PROBES: Final = 192
"""Number of an image's keypoints that are looked up first in another one, which probably shows something else; of a
long image more, see `Keypoints.sample`."""

PROBE_BITS, PROBE_RATIO = 44, 0.7
"""Largest Hamming distance, of 256 bits, and ratio to the second nearest, of the best match of the probes of two images
that have a part in common. docs/explanation/ranking.md says how rarely they are larger."""

MIN_INLIERS: Final = 10
"""Fewer inliers occur by chance: a homography always explains the four pairs it was estimated from, and some more."""

REPROJECTION_PIXELS: Final = 4.0
MAX_SCALE: Final = 8.0
MAX_PERSPECTIVE: Final = 4.0

_ATTRIBUTES: Final = "response", "octave", "angle"

Points = npt.NDArray[np.float32]
Transform = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Keypoints of one image, the strongest first.

    Attributes:
        points: float32 (N, 2), x and y in pixels of the image of `size`.
        scales: uint8 (N,), pyramid level.
        angles: uint8 (N,), orientation in 1/256 turns.
        descriptors: uint8 (N, 32), the 256 bits of each.
        size: width and height in pixels; the longest is `LONGEST_SIDE`, or more for a long image,
            unless `detect` was given another one.
    """

    points: Points
    scales: npt.NDArray[np.uint8]
    angles: npt.NDArray[np.uint8]
    descriptors: npt.NDArray[np.uint8]
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.points)

    def select(self, chosen: npt.NDArray[np.intp]) -> "Keypoints":
        """Return the keypoints at these indices, in that order."""
        return Keypoints(
            self.points[chosen], self.scales[chosen], self.angles[chosen], self.descriptors[chosen], self.size
        )

    def spread(self, count: int) -> "Keypoints":
        """Return at most `count` keypoints, the strongest of each cell of a grid in turn: 6 x 6, of a long image more.

        Otherwise one detailed part of an image could use them all.
        """
        if len(self) <= count:
            return self
        width, height = self.size
        across, down = (
            (GRID * parts_of(width, height), GRID) if width > height else (GRID, GRID * parts_of(width, height))
        )
        fields = np.minimum((self.points * (across, down) / self.size).astype(np.intp), (across - 1, down - 1)) @ (
            1,
            across,
        )
        order = np.argsort(fields, kind="stable")
        starts = np.flatnonzero(np.diff(fields[order], prepend=-1))
        turn = np.empty(len(self), np.intp)
        turn[order] = np.arange(len(self)) - np.repeat(starts, np.diff(starts, append=len(self)))
        return self.select(np.argsort(turn, kind="stable")[:count])

    def sample(self, count: int = MAX_KEYPOINTS) -> "Keypoints":
        """Return at most `count` keypoints, evenly spread; of a long image as many as `most_kept` says."""
        return self.spread(most_kept(self.size, count))

    def in_window(self, left: float, top: float, side: float, count: int) -> "Keypoints":
        """Return the `count` strongest in a window; its position and size are fractions of the image's sides."""
        place = self.points / self.size
        inside = ((place >= (left, top)) & (place < (left + side, top + side))).all(axis=1)
        return self.select(np.flatnonzero(inside)[:count])


def most_kept(size: tuple[int, int], count: int = MAX_KEYPOINTS) -> int:
    """Return how many keypoints an image of `size` has at most, if one that is not long has `count`."""
    parts = parts_of(*size)
    return count if parts == 1 else parts * count // PART_SHARE


@dataclass(frozen=True, slots=True)
class KeypointMatches:
    """The keypoints on which two images agree.

    Attributes:
        pairs: int (M, 2), keypoint indices of the inliers; without a transform, fewer than `MIN_INLIERS`.
        transform: 3 x 3 homography from the first image's points to the second's; None if no plausible one was found.
    """

    score: OrbScore
    pairs: npt.NDArray[np.intp]
    transform: Transform | None


def detect(gray: Pixels, count: int = MAX_KEYPOINTS, longest: int | None = None, edge: int = ORB_EDGE) -> Keypoints:
    """Detect the `count` strongest keypoints of a gray image of any size; flat images have none.

    Args:
        longest: longest side in pixels to which the image is scaled first; None means `LONGEST_SIDE`, or more for a
            long image (`resizing.longest_side`).
        edge: width in pixels of the border without keypoints, at every level of the pyramid.
    """
    if min(gray.shape) < LEAST_SIDE:
        longest = longest or LONGEST_SIDE
        return _none(resize_longest(gray, longest).shape[1::-1])
    gray = resize_longest(gray, longest or longest_side(gray.shape[1], gray.shape[0], LONGEST_SIDE))
    height, width = gray.shape
    # ORB finds nothing closer to an edge, and raises if its pyramid shrinks a side to zero: a narrow image is padded.
    pad = edge if min(width, height) <= 2 * edge < max(width, height) else 0
    if min(width, height) <= 2 * edge and not pad:
        return _none((width, height))
    if pad:
        gray = cv2.copyMakeBorder(gray, pad, pad, pad, pad, cv2.BORDER_REPLICATE).astype(np.uint8)
    found, descriptors = cv2.ORB.create(
        nfeatures=count,
        nlevels=LEVELS if count <= MAX_KEYPOINTS else QUERY_LEVELS,
        edgeThreshold=edge,
        fastThreshold=CORNER_CONTRAST,
    ).detectAndCompute(gray, None)
    if not found:
        return _none((width, height))
    # One pass in C for each attribute takes a third of the time of a loop over the points.
    responses, octaves, angles = (np.fromiter(map(attrgetter(name), found), np.float64) for name in _ATTRIBUTES)
    # ORB may return a few more than requested.
    strongest = np.argsort(-responses, kind="stable")[:count]
    return Keypoints(
        points=np.asarray(cv2.KeyPoint.convert(found), np.float32) - np.float32(pad),
        scales=octaves.astype(np.uint8),
        angles=(angles * 256 / 360).astype(np.intp).astype(np.uint8),
        descriptors=descriptors.astype(np.uint8, copy=False),
        size=(width, height),
    ).select(strongest)


def _none(size: tuple[int, int]) -> Keypoints:
    nothing = np.zeros(0, np.uint8)
    return Keypoints(np.zeros((0, 2), np.float32), nothing, nothing, np.zeros((0, 32), np.uint8), size)


def match_keypoints(a: Keypoints, b: Keypoints) -> KeypointMatches:
    """Match descriptors by Lowe's ratio test, and estimate the homography that explains most pairs."""
    smaller = min(len(a), len(b))
    if smaller < 2:  # noqa: PLR2004 - the ratio test needs a second-best
        return _no_match(OrbScore(0, 0, 0.0))
    nearest, distances = nearest_two(a.descriptors, b.descriptors)
    distinct = _are_distinct(distances, LOWE_RATIO)
    pairs = np.column_stack([np.flatnonzero(distinct), nearest[distinct]]).astype(np.intp)
    transform, kept = _geometry(a, b, pairs)
    score = OrbScore(matches=len(pairs), inliers=len(kept), ratio=min(1.0, len(pairs) / smaller))
    return KeypointMatches(score, kept, transform)


def match_unless_unlike(a: Keypoints, b: Keypoints, probes: Keypoints) -> KeypointMatches:
    """Match as `match_keypoints` does, unless no probe has a close match: the others have hardly ever one, then.

    Args:
        probes: some of the keypoints of `a`, evenly spread. If they are more than half of those of either image, all
            are matched at once.

    Returns:
        Without a close match, the number and the ratio of the probes' matches, and no inliers.
    """
    if 0 < 2 * len(probes) <= min(len(a), len(b)):
        _, distances = nearest_two(probes.descriptors, b.descriptors)
        if not ((distances[:, 0] <= PROBE_BITS) & _are_distinct(distances, PROBE_RATIO)).any():
            matches = int(np.count_nonzero(_are_distinct(distances, LOWE_RATIO)))
            return _no_match(OrbScore(matches=matches, inliers=0, ratio=matches / len(probes)))
    return match_keypoints(a, b)


def _are_distinct(distances: npt.NDArray[np.uint32], ratio: float) -> npt.NDArray[np.bool_]:
    """Return which descriptors are nearer than `ratio` of their second nearest to their nearest (Lowe's ratio test)."""
    passed: npt.NDArray[np.bool_] = distances[:, 0] < ratio * distances[:, 1]
    return passed


def _no_match(score: OrbScore) -> KeypointMatches:
    return KeypointMatches(score, np.zeros((0, 2), np.intp), None)


def _geometry(a: Keypoints, b: Keypoints, pairs: npt.NDArray[np.intp]) -> tuple[Transform | None, npt.NDArray[np.intp]]:
    nothing = np.zeros((0, 2), np.intp)
    if len(pairs) < 4:  # noqa: PLR2004 - a homography has eight unknowns
        return None, nothing
    try:
        transform, mask = cv2.findHomography(
            a.points[pairs[:, 0]], b.points[pairs[:, 1]], cv2.USAC_MAGSAC, REPROJECTION_PIXELS, maxIters=1000
        )
    except cv2.error:
        return None, nothing
    if transform is None or mask is None:
        return None, nothing
    kept = pairs[mask.reshape(-1).astype(bool)]
    # Many keypoints of one image can match a single one of the other; only distinct keypoints are evidence.
    kept = kept[np.sort(np.unique(kept[:, 1], return_index=True)[1])]
    if len(kept) < MIN_INLIERS:
        return None, kept
    homography = transform.astype(np.float64)
    return (homography, kept) if is_sane(homography, a.size) else (None, nothing)


def hull_coverage(a: Keypoints, b: Keypoints, matches: KeypointMatches) -> float:
    """Return the share of an image that the inliers' convex hull covers, 0 to 1: the larger share of the two images.

    It is 0 without a transform.
    """
    if matches.transform is None:
        return 0.0
    return max(_share(side, matches.pairs[:, index]) for index, side in enumerate((a, b)))


def _share(found: Keypoints, chosen: npt.NDArray[np.intp]) -> float:
    width, height = found.size
    return float(cv2.contourArea(cv2.convexHull(found.points[chosen]))) / (width * height)


def is_sane(transform: Transform, size: tuple[int, int]) -> bool:
    """Return whether a homography is plausible for an image of `size`.

    The image must remain a convex, unmirrored quadrilateral, scaled by at most `MAX_SCALE` and with a perspective of
    at most `MAX_PERSPECTIVE`.
    """
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    weights = corners @ transform[2, :2] + transform[2, 2]
    if weights.min() <= 0 or weights.max() / weights.min() > MAX_PERSPECTIVE:
        return False
    moved = (corners @ transform[:2, :2].T + transform[:2, 2]) / weights[:, np.newaxis]
    edges = np.roll(moved, -1, axis=0) - moved
    turns = edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1] - edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]
    if turns.min() <= 0:
        return False
    stretch = np.linalg.norm(edges, axis=1) / np.array([width, height, width, height])
    return bool(stretch.min() > 1 / MAX_SCALE and stretch.max() < MAX_SCALE)
