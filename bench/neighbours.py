"""What a new picture's comparison with earlier ones costs and finds: `python -m bench.neighbours FOLDER`.

Altered copies of stored pictures, and the stored pictures themselves as strangers to each other, are compared as ingest
does, under several rules of which candidates' signatures are read.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from bench.alterations import ALTERATIONS, HARDER
from functions.ingest.neighbours import CANDIDATES, LEAST_LOCAL, MOST_BITS, bits_apart
from shared.domain.matches import Ranking, Verdict
from shared.domain.merging import LOCAL_TO_WHOLE
from shared.vision import signature
from shared.vision.channels import Pixels
from shared.vision.decoding import decode_here
from shared.vision.embedding import Embedder
from shared.vision.local_features import gathered
from shared.vision.opencv import cv2
from shared.vision.phash import perceptual_hash
from shared.vision.ranking import compare
from shared.vision.signature import Signature

SEED: Final = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """`near` is whether it is a near-duplicate of the picture that came."""

    local: float
    bits: int
    near: bool


class Collection:
    """Described pictures, searched exactly."""

    def __init__(self, pictures: list[Pixels], embedder: Embedder) -> None:
        self._model = embedder.model_id
        self._embedder = embedder
        described = [self.describe(rgb) for rgb in tqdm(pictures, desc="describing")]
        self.signatures, hashes, local = zip(*described, strict=True)
        self._hashes: tuple[str, ...] = hashes
        self._local = np.array(local)
        self._whole = np.array([one.features for one in self.signatures])

    def describe(self, rgb: Pixels) -> tuple[Signature, str, np.ndarray[tuple[int], np.dtype[np.float32]]]:
        found = signature.extract(rgb, self._embedder.embed(rgb).features)
        return found, perceptual_hash(found.gray), gathered(found.keypoints.descriptors)

    def candidates(self, rgb: Pixels, itself: int | None = None) -> list[Candidate]:
        """Those that ingest looks at, `itself` left out."""
        new, phash, local = self.describe(rgb)
        assert new.features is not None  # noqa: S101 - it was just given
        by_local, by_whole = self._local @ local, self._whole @ new.features
        near, whole = (list(map(int, np.argsort(-scores)[: CANDIDATES + 1])) for scores in (by_local, by_whole))
        order = [(place // LOCAL_TO_WHOLE, 0, place, index) for place, index in enumerate(near)]
        order += [(place, 1, place, index) for place, index in enumerate(whole)]
        chosen = list(dict.fromkeys(index for *_, index in sorted(order)))[: CANDIDATES + 1]
        return [
            Candidate(
                float(by_local[index]) if index in near else -1.0,
                bits_apart(phash, self._hashes[index]),
                self._near(new, self.signatures[index], float(by_whole[index])),
            )
            for index in chosen
            if index != itself
        ]

    def _near(self, new: Signature, stored: Signature, cosine: float) -> bool:
        found = compare(new, stored, cosine=cosine, ranking=Ranking.FUSED, model=self._model)
        return found.verdict is Verdict.NEAR_DUPLICATE


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model-dir", type=Path, default=Path(".build/resnet50"))
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--copied", type=int, default=20, help="of them, in 13 alterations each")
    wanted = parser.parse_args(argv)
    stored = [decode_here(path.read_bytes()).rgb for path in sorted(wanted.folder.glob("*.jpg"))[: wanted.pictures]]
    collection = Collection(stored, Embedder(wanted.model_dir, 1))
    rng = np.random.default_rng(SEED)
    copies = []
    for rgb in tqdm(stored[:: max(1, len(stored) // wanted.copied)][: wanted.copied], desc="copies"):
        for alter in [*ALTERATIONS.values(), *HARDER.values()]:
            encoded = cv2.imencode(".jpg", alter(rgb, rng)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
            copies.append(collection.candidates(decode_here(encoded.tobytes()).rgb))
    strangers = [collection.candidates(rgb, index) for index, rgb in enumerate(tqdm(stored, desc="strangers"))]
    print(table(copies, strangers))
    return 0


def table(copies: list[list[Candidate]], strangers: list[list[Candidate]]) -> str:
    rules: list[tuple[float, int]] = [(-2.0, 64)]  # all are read
    rules += [(0.2, MOST_BITS), (LEAST_LOCAL, 12), (LEAST_LOCAL, MOST_BITS), (0.4, MOST_BITS)]
    rows = ["| rule | copies found | signatures read for a copy | for a new picture |", "|---|---:|---:|---:|"]
    for least, most in rules:

        def read(one: Candidate, least: float = least, most: int = most) -> bool:
            return one.local >= least or one.bits <= most

        found = sum(any(one.near and read(one) for one in candidates) for candidates in copies)
        for_copy, for_new = (np.mean([sum(map(read, each)) for each in group]) for group in (copies, strangers))
        rows.append(
            f"| cosine of {least:g} or {most} bits | {found} of {len(copies)} | {for_copy:.1f} | {for_new:.1f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
