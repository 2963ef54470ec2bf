"""How many altered copies ingest groups with their original, and how many with another image.

`python -m bench.quality.duplicates FOLDER` stores every image of the folder, then adds copies of the first images one
after another, in a third of the alterations each, and searches for duplicates of each copy as ingest does.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Final

from tqdm import tqdm

from bench.quality.alterations import ALTERATIONS, altered
from bench.quality.collection import NAME, SEED, Memory, Original, images, indexed, key_of
from shared.domain.images import ImageRecord
from shared.search.description import describe
from shared.search.near_duplicates import CANDIDATES, NearDuplicateFinder
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import Embedder

EVERY: Final = 3
"""Each image gets every third alteration, starting with a different one."""


class GrowingCollection(Memory):
    """A collection in which images can be looked up by their IDs."""

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord:  # noqa: ARG002 - as the port has it
        return self._one(image_id).described.record

    def group(self, image_id: str) -> str:
        return self._one(image_id).group

    def _one(self, image_id: str) -> Original:
        return next(one for one in reversed(self.originals) if one.image_id == image_id)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.duplicates", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs, each of another subject")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--copied", type=int, default=50, help="number of images that are copied")
    wanted = parser.parse_args()
    embedder = Embedder(wanted.model_dir)
    originals = indexed(images(wanted.folder), embedder)
    collection = GrowingCollection(originals, embedder.model_id)
    neighbours = NearDuplicateFinder(index=collection, signatures=collection, model=lambda: embedder.model_id)
    found: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for place, original in enumerate(tqdm(originals[: wanted.copied], desc="copies", unit="image")):
        rgb = decode_in_process(original.path.read_bytes()).rgb
        for name in list(ALTERATIONS)[place % EVERY :: EVERY]:
            data = altered(rgb, name, SEED, place)
            arrived = f"{len(collection.originals):09}"
            described = describe(data, key_of(data), embedder, created_at=arrived, filename=name)
            collection.add(Original(original.path, original.group, described))
            look = neighbours.look(key_of(data))
            assert look is not None  # noqa: S101 - it has just been added
            likely = neighbours.promising(look, [*look.same_pixels, *look.candidates][:CANDIDATES])
            near = max(neighbours.settle(look, likely), key=lambda one: one.comparison.score, default=None)
            said = (
                "alone" if near is None else "right" if collection.group(near.image_id) == original.group else "wrong"
            )
            found[said] += 1
            missed.update([name] if said == "alone" else [])
            if near is not None and said == "wrong":
                wrong[name, str(collection.find(near.image_id, NAME).filename)] += 1
    print(f"{sum(found.values())} copies: {dict(found)}")
    print("alone: " + ", ".join(f"{name} {count}" for name, count in missed.most_common()))
    print(
        "beside another's: " + ", ".join(f"{name} by {other} {count}" for (name, other), count in wrong.most_common())
    )


if __name__ == "__main__":
    main()
