"""The cost and yield of comparing a new image with earlier ones: `python -m bench.neighbours FOLDER`.

Compares altered copies of stored images, and the stored images with each other as unrelated ones, in the way that
ingest does, under several rules for which candidates' signatures are read.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from bench.basic_alterations import ALTERATIONS, HARDER
from bench.quality.collection import Memory, images, indexed, key_of
from shared.domain.features import cosine
from shared.domain.matches import Ranking, Verdict
from shared.search.description import Description, describe
from shared.search.near_duplicates import CANDIDATES, LEAST_LOCAL, MOST_BITS, bits_apart
from shared.search.rank_fusion import interleaved
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.opencv import cv2
from shared.vision.ranking import compare

SEED: Final = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate; `near` says whether it is a near-duplicate of the new image."""

    local: float
    bits: int
    near: bool


def candidates(new: Description, stored: Mapping[str, Description], memory: Memory) -> list[Candidate]:
    """Return the candidates that ingest considers, without the image itself."""
    limit = CANDIDATES + 1
    local = () if new.local_features is None else memory.nearest_local(new.local_features, limit=limit).found
    whole = memory.nearest(new.features, limit=limit).found
    cosines = {candidate.record.image_id: candidate.cosine for candidate in local}
    return [
        Candidate(
            cosines.get(record.image_id, -1.0),
            bits_apart(new.record.phash, record.phash),
            near(new, stored[record.image_id]),
        )
        for record in interleaved([entry.record for entry in local], [entry.record for entry in whole])[:limit]
        if record.image_id != new.record.image_id
    ]


def near(new: Description, stored: Description) -> bool:
    found = compare(
        new.signature,
        stored.signature,
        cosine=cosine(new.features, stored.features),
        ranking=Ranking.FUSED,
        model=new.record.model,
    )
    return found.verdict is Verdict.NEAR_DUPLICATE


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--pictures", dest="images", type=int, default=200)
    parser.add_argument("--copied", type=int, default=20, help="of them, in 13 alterations each")
    wanted = parser.parse_args(argv)
    embedder = Embedder(wanted.model_dir, 1)
    originals = indexed(images(wanted.folder)[: wanted.images], embedder)
    memory = Memory(originals, embedder.model_id)
    stored = {original.image_id: original.described for original in originals}
    rng = np.random.default_rng(SEED)
    copies = []
    for original in tqdm(originals[:: max(1, len(originals) // wanted.copied)][: wanted.copied], desc="copies"):
        rgb = decode(original.path.read_bytes()).rgb
        for alter in [*ALTERATIONS.values(), *HARDER.values()]:
            data = cv2.imencode(".jpg", alter(rgb, rng)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
            new = describe(data, key_of(data), embedder, created_at="", filename=None)
            copies.append(candidates(new, stored, memory))
    strangers = [candidates(new, stored, memory) for new in tqdm(stored.values(), desc="strangers")]
    print(table(copies, strangers))
    return 0


def table(copies: list[list[Candidate]], strangers: list[list[Candidate]]) -> str:
    rules: list[tuple[float, int]] = [(-2.0, 64)]  # all are read
    rules += [(0.2, MOST_BITS), (LEAST_LOCAL, 12), (LEAST_LOCAL, MOST_BITS), (0.4, MOST_BITS)]
    rows = ["| rule | copies found | signatures read for a copy | for a new image |", "|---|---:|---:|---:|"]
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
