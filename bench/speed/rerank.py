"""Reranking from signatures, compared with comparing the images themselves."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from bench.speed.images import synthetic_image
from bench.speed.report import Floor, Part
from bench.speed.timing import side_by_side
from shared.domain.matches import Ranking
from shared.vision import cpu, signature
from shared.vision.decode.decoders import decode_in_process
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.ranking import compare_coarsely
from shared.vision.signature import Signature

CANDIDATES: Final = 50
PLAIN_CANDIDATES: Final = 2
"""Number of candidates compared in the plain ways, which take seconds; the time is extrapolated to 50."""
MOST_MS: Final = 60.0
TIMES: Final = 10.0
OURS: Final = "ours: unpack 50 signatures and compare, a thread for each processor, as a search does"
ALONE: Final = "ours: the same in one thread"
KEPT: Final = "ours: compare 50 that are in memory, in one thread"
PLAIN: Final = "scikit-image: decode, SSIM, ORB"
OPENCV: Final = "scikit-image's SSIM, OpenCV's ORB"


def measure(images: list[bytes], rounds: int, *, plain_rounds: int) -> Part:
    """Compare a query with 50 candidates in every way."""
    shown = [*images, *(synthetic_image(seed) for seed in range(1000, 1000 + CANDIDATES + 1 - len(images)))]
    query, *others = [signature.extract(decode_in_process(data).rgb) for data in shown[: CANDIDATES + 1]]
    packed = [signature.pack(each) for each in others]

    def compared(stored: Signature) -> object:
        return compare_coarsely(query, stored, cosine=0.5, ranking=Ranking.FUSED)

    def unpacked(data: bytes) -> object:
        return compared(signature.unpack(data))

    with ThreadPoolExecutor(cpu.available_cpus()) as threads:
        taken = side_by_side(
            {
                OURS: lambda _: list(threads.map(unpacked, packed)),
                ALONE: lambda _: list(map(unpacked, packed)),
                KEPT: lambda _: list(map(compared, others)),
            },
            [None],
            rounds=rounds,
        )
    plain, opencv = _Plain(shown[0]), OpenCV(shown[0])
    slow = side_by_side(
        {
            PLAIN: lambda _: [plain.compare(data) for data in shown[1 : 1 + PLAIN_CANDIDATES]],
            OPENCV: lambda _: [opencv.compare(data) for data in shown[1 : 1 + PLAIN_CANDIDATES]],
        },
        [None],
        rounds=plain_rounds,
    )
    taken |= {name: ms * CANDIDATES / PLAIN_CANDIDATES for name, ms in slow.items()}
    times = taken[PLAIN] / taken[OURS]
    return Part(
        f"Reranking {CANDIDATES} candidates",
        ("how", "ms", "times ours"),
        [(name, f"{ms:.0f}", f"{ms / taken[OURS]:.1f}") for name, ms in taken.items()],
        [
            Floor(
                "rerank of 50 from signatures",
                f"at most {MOST_MS:g} ms",
                f"{taken[OURS]:.0f} ms",
                taken[OURS] <= MOST_MS,
            ),
            Floor("rerank against the plain way", f"at least {TIMES:g} times", f"{times:.0f}", times >= TIMES),
        ],
        (
            f"The plain ways read each image, as the ancestor does; {PLAIN_CANDIDATES} candidates were measured and "
            "multiplied. Ours does more: a geometric check, SSIM after alignment, SSIM by detail, colours.",
        ),
        {"rerank_50_ms": taken[OURS], "rerank_50_alone_ms": taken[ALONE], "rerank_50_plain_ms": taken[PLAIN]},
    )


class _Plain:
    """SSIM of gray 256 x 256 images and matched ORB keypoints of the same, with nothing but scikit-image."""

    def __init__(self, query: bytes) -> None:
        self._query = self._gray(query)
        self._keypoints = self._orb(self._query)

    def compare(self, data: bytes) -> float:
        from skimage.feature import match_descriptors
        from skimage.metrics import structural_similarity

        gray = self._gray(data)
        descriptors = self._orb(gray)
        pairs = match_descriptors(self._keypoints, descriptors, cross_check=False, max_ratio=0.75)
        ssim = float(structural_similarity(self._query, gray, data_range=1.0))
        return (ssim + len(pairs) / max(1, min(len(self._keypoints), len(descriptors)))) / 2

    @staticmethod
    def _gray(data: bytes) -> Any:
        from skimage.color import rgb2gray
        from skimage.transform import resize

        return resize(rgb2gray(decode_in_process(data).rgb), (signature.SIDE, signature.SIDE), anti_aliasing=True)

    @staticmethod
    def _orb(gray: Any) -> Any:
        from skimage.feature import ORB

        found = ORB(n_keypoints=500)
        found.detect_and_extract(gray)
        return found.descriptors


class OpenCV:
    """The same with OpenCV's resizing and ORB, as most programs of this kind do it."""

    def __init__(self, query: bytes) -> None:
        self._orb = cv2.ORB.create(nfeatures=500)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
        self._query = self._gray(query)
        self._descriptors = self._orb.detectAndCompute(self._query, None)[1]

    def compare(self, data: bytes) -> float:
        from skimage.metrics import structural_similarity

        gray = self._gray(data)
        descriptors = self._orb.detectAndCompute(gray, None)[1]
        pairs = self._matcher.knnMatch(self._descriptors, descriptors, k=2)
        good = [pair for pair in pairs if len(pair) == 2 and pair[0].distance < 0.75 * pair[1].distance]
        ssim = float(structural_similarity(self._query, gray))
        return (ssim + len(good) / max(1, min(len(self._descriptors), len(descriptors)))) / 2

    @staticmethod
    def _gray(data: bytes) -> Pixels:
        gray = cv2.cvtColor(decode_in_process(data).rgb, cv2.COLOR_RGB2GRAY)
        return cv2.resize(gray, (signature.SIDE, signature.SIDE))  # type: ignore[return-value]
