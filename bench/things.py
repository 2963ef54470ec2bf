"""Measure the tags that a network tells: `python -m bench.things FOLDER`.

The folder has photographs whose names say what is on them, `<WordNet id>_<class>.jpg`. For each word: how many of the
images that get the tag show the thing (precision), and how many that show it get the tag (recall), for sums over the
word's classes and for the most probable class alone.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.domain.labels import Vocabulary, canonical
from shared.domain.model_card import LABELS_FILE
from shared.domain.things import MIN_PROBABILITY, words
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import Embedder


@dataclass
class Word:
    """How many images show a thing, were told to, and both; `single` by their most probable class."""

    shown: int = 0
    told: int = 0
    right: int = 0
    single: int = 0
    single_right: int = 0

    def row(self) -> str:
        def share(part: int, whole: int) -> str:
            return f"{part / whole:.2f}" if whole else "-"

        return (
            f"{self.shown} | {share(self.right, self.told)} | {share(self.right, self.shown)} | "
            f"{share(self.single_right, self.single)} | {share(self.single_right, self.shown)}"
        )


def photographs(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield photographs with the class that their names state."""
    for path in sorted(folder.glob("n*_*.jpg")):
        yield path, canonical(path.stem.split("_", 1)[1])


def measure(folder: Path, model_dir: Path) -> dict[str, Word]:
    """Return how often each word was told."""
    embedder = Embedder(model_dir)
    places: dict[str, int] = {}
    for place, each in enumerate(Vocabulary.read(model_dir / LABELS_FILE).classes):
        for name in (each.name, *each.also):
            places.setdefault(canonical(name), place)
    counted = {word: Word() for word in words()}
    for path, name in photographs(folder):
        if name not in places:
            continue
        found = embedder.embed(decode_in_process(path.read_bytes()).rgb)
        first = found.labels[0] if found.labels and found.labels[0].probability >= MIN_PROBABILITY else None
        for word, classes in words().items():
            one, shown = counted[word], places[name] in classes
            told = word in found.things
            single = first is not None and places[canonical(first.name)] in classes
            one.shown += shown
            one.told += told
            one.right += told and shown
            one.single += single
            one.single_right += single and shown
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model-dir", type=Path, required=True)
    args = parser.parse_args()
    counted = measure(args.folder, args.model_dir)
    print("word | images | precision | recall | precision, one class | recall, one class")
    print("--- | --- | --- | --- | --- | ---")
    for word, one in sorted(counted.items(), key=lambda entry: -entry[1].shown):
        if one.shown or one.told:
            print(f"{word} | {one.row()}")


if __name__ == "__main__":
    main()
