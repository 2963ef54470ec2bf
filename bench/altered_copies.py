"""Search a running system for altered copies of stored images: `python -m bench.altered_copies FOLDER --url URL`.

Every ranking gets the same sixty queries: ten images, evenly spread over the folder, in six alterations each.
"""

import argparse
import hashlib
import sys
import time
from collections import defaultdict
from pathlib import Path

import httpx
import numpy as np
from tqdm import tqdm

from bench.basic_alterations import ALTERATIONS
from infra.local import seed
from shared.domain.matches import Ranking
from shared.vision.decode.decoding import decode
from shared.vision.opencv import cv2

SEED = 11
ORIGINALS = 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.altered_copies", description=__doc__)
    parser.add_argument("folder", type=Path, help="images to index and to alter")
    parser.add_argument("--url", default="http://localhost:8000", help="a running system")
    parser.add_argument("--collection", default="bench", help="where the images are indexed")
    wanted = parser.parse_args()
    paths = seed.list_files(wanted.folder)
    if not paths:
        parser.error(f"{wanted.folder} contains no files; name a folder of images")
    try:
        measure(paths, wanted.url, wanted.collection)
    except httpx.ConnectError:
        print(f"No system runs at {wanted.url}. Start one with `make run`, or name a running one with --url.")
        return 1
    return 0


def measure(paths: list[Path], url: str, collection: str) -> None:
    """Index the images, search for altered copies, and print how often the original is the first match."""
    started = time.perf_counter()
    outcomes = seed.index(url, paths, collection)
    indexing = time.perf_counter() - started
    print(f"{seed.summary(outcomes, indexing)}, {len(paths) / indexing:.1f} a second")

    rng = np.random.default_rng(SEED)
    first: dict[Ranking, dict[str, list[bool]]] = {ranking: defaultdict(list) for ranking in Ranking}
    times = []
    chosen = paths[:: max(1, len(paths) // ORIGINALS)][:ORIGINALS]
    with httpx.Client(base_url=url, timeout=60) as client:
        for path in tqdm(chosen, desc="searching", unit="original"):
            data = path.read_bytes()
            image_id, rgb = hashlib.sha256(data).hexdigest(), decode(data).rgb
            for name, alter in ALTERATIONS.items():
                copy = cv2.imencode(".jpg", alter(rgb, rng)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
                for ranking in Ranking:
                    asked = time.perf_counter()
                    answer = client.post(
                        "/v1/search",
                        params={"collection": collection, "ranking": ranking, "k": 5},
                        files={"file": ("copy.jpg", copy)},
                    )
                    times.append(time.perf_counter() - asked)
                    matches = answer.raise_for_status().json()["matches"]
                    first[ranking][name].append(bool(matches) and matches[0]["image_id"] == image_id)

    print(f"\n| alteration | {' | '.join(Ranking)} |\n|---|{'---|' * len(Ranking)}")
    for name in ALTERATIONS:
        print(f"| {name} | " + " | ".join(f"{np.mean(first[ranking][name]):.2f}" for ranking in Ranking) + " |")
    totals = [np.mean([hit for hits in first[ranking].values() for hit in hits]) for ranking in Ranking]
    print("| **all** | " + " | ".join(f"**{total:.3f}**" for total in totals) + " |")
    print(f"\n{len(times)} searches, median {np.median(times) * 1000:.0f} ms, in {sum(times):.1f} s")
    print(f"everything took {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
