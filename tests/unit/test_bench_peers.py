"""How the pairs of other tools are counted, and what they are given."""

from pathlib import Path

from bench.peers.made import make
from bench.peers.pairs import Quality, best, measured
from shared.vision.decode.decoders import decode_in_process
from tests.images import noise

GROUPS = {"a1": 1, "a2": 1, "a3": 1, "b1": 2, "b2": 2, "c1": 3}
FOUND = {("a1", "a2"): 0.0, ("a2", "a1"): 0.0, ("a1", "a3"): 2.0, ("b1", "c1"): 4.0, ("b2", "b1"): 5.0}


def test_a_pair_counts_once_in_either_order() -> None:
    assert measured(FOUND, GROUPS, 2) == Quality(1.0, 0.5, 2)
    assert measured(FOUND, GROUPS, None) == Quality(0.75, 0.75, None)


def test_the_threshold_with_the_highest_recall_at_enough_precision_is_chosen() -> None:
    assert best(FOUND, GROUPS, 0.99) == Quality(1.0, 0.5, 2)
    assert best(FOUND, GROUPS, 0.7) == Quality(0.75, 0.75, 5)
    assert best({("b1", "c1"): 1.0}, GROUPS, 0.99).recall == 0


def test_a_folder_has_each_photograph_and_copies_of_it(tmp_path: Path) -> None:
    photographs = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(photographs):
        path.write_bytes(noise(number))
    made = make(photographs, tmp_path / "made", 12, seed=5)
    assert {path.name for path in made.folder.iterdir()} == set(made.groups)
    assert 9 < len(made.groups) <= 12
    assert [group for _, group in made.queries] == [0, 1, 2]
    for number, path in enumerate(photographs):
        assert (made.folder / f"{number:05}-original.jpg").read_bytes() == path.read_bytes()
    stored = {path.read_bytes() for path in made.folder.iterdir()}
    for data, _ in made.queries:
        assert data not in stored
        assert decode_in_process(data).rgb.size
