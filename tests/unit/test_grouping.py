"""Groups are complete and no chains, whatever the order in which workers settle images and the index learns of them."""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
from greenlet import greenlet

from shared.domain.duplicates import Decision, DecisionPage, Decisions, DuplicatePage
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.matches import Comparison, OrbScore, Verdict
from shared.domain.outcomes import Neighbour
from shared.domain.quality import Quality
from shared.search.grouping import Grouper
from shared.search.near_duplicates import CANDIDATES, Look

NEAR: Final = Comparison(0.95, Verdict.NEAR_DUPLICATE, 0.9, 0.9, None, OrbScore(9, 9, 1), 1.0)
HISTORIES: Final = 300

Near = Callable[[str, str], bool]


def same_subject(one: str, other: str) -> bool:
    return one[0] == other[0]


def next_frames(one: str, other: str) -> bool:
    return abs(int(one) - int(other)) <= 2


@dataclass
class World:
    """One collection: images, what an index has of them, groups, and workers that are switched at any call.

    Attributes:
        near: whether two images are near-duplicates.
        visible: images that the index has.
        comparison: how near-duplicates compare.
        waiting: images that must be settled.
        compared: number of comparisons.
    """

    rng: random.Random
    near: Near
    stored: dict[str, ImageRecord] = field(default_factory=dict)
    visible: set[str] = field(default_factory=set)
    different: set[frozenset[str]] = field(default_factory=set)
    waiting: list[str] = field(default_factory=list)
    comparison: Comparison = NEAR
    compared: int = 0

    def add(self, name: str, best: int) -> None:
        """Store an image; the one with the lowest number is the best."""
        quality = Quality(step=1.0 + best)
        self.stored[name] = ImageRecord("c", name, "m", 9, 9, "png", 1, "0" * 16, f"{best:03}", quality=quality)
        self.waiting.append(name)

    def pause(self) -> None:
        here = greenlet.getcurrent()
        if here.parent is not None:
            here.parent.switch()

    # What the grouper asks of its finder and of the store.

    def look(self, image: ImageKey, _: Any = None) -> Look | None:
        self.pause()
        seen = set(self.visible)
        subject: Any = _Subject(self.stored[image.image_id])
        found = self.rng.sample(others := sorted(seen - {image.image_id}), len(others))
        found.sort(key=lambda name: not self.near(name, image.image_id))
        return Look(subject, [], found, image.image_id in seen)

    def promising(self, look: Look, others: Sequence[str]) -> Sequence["_Promising"]:
        self.pause()
        return [_Promising(other) for other in others]

    def settle(self, look: Look, promising: Sequence["_Promising"]) -> list[Neighbour]:
        self.pause()
        self.compared += len(promising)
        own = look.subject.record.image_id
        return [Neighbour(one.image_id, self.comparison) for one in promising if self.near(own, one.image_id)]

    def records(self, _: str, image_ids: Collection[str]) -> Mapping[str, ImageRecord]:
        self.pause()
        return {name: self.stored[name] for name in image_ids if name in self.stored}

    def place(self, image: ImageKey, group: str | None, *, before: str | None) -> bool:
        self.pause()
        record = self.stored[image.image_id]
        if record.group != before:
            return False
        self.stored[image.image_id] = replace(record, group=group)
        return True

    def members(self, group: ImageKey, limit: int) -> Sequence[str]:
        self.pause()
        return [name for name, record in self.stored.items() if record.group == group.image_id][:limit]

    def decisions(self, image: ImageKey) -> Decisions:
        others = [name for pair in self.different if image.image_id in pair for name in pair - {image.image_id}]
        return dict.fromkeys(others, Decision.DIFFERENT)

    def rate(self, image: ImageKey, quality: Quality) -> None: ...
    def choose(self, image: ImageKey, *, chosen: bool) -> None: ...
    def decide(self, image: ImageKey, other: str, decision: Decision | None) -> None: ...

    def decided(self, collection: str, *, limit: int, cursor: str | None) -> DecisionPage:
        return DecisionPage([])

    def page(self, collection: str, *, limit: int, cursor: str | None) -> DuplicatePage:
        return DuplicatePage([])


@dataclass(frozen=True)
class _Promising:
    image_id: str


@dataclass(frozen=True)
class _Subject:
    record: ImageRecord


def play(world: World, workers: int = 4) -> None:
    """Settle what waits, by workers that are switched at random, while the index learns of images at random."""
    finder: Any = world
    grouper = Grouper(duplicates=world, finder=finder)
    running: list[greenlet] = []

    def settle(name: str) -> None:
        settled = grouper.settle(ImageKey("c", name))
        again = {*settled.affected, *grouper.stray(ImageKey("c", name))}
        world.waiting.extend(sorted(again) + ([] if settled.complete else [name]))

    while world.waiting or running:
        if world.rng.random() < 0.2:
            world.visible |= set(world.rng.sample(sorted(world.stored), 1))
        if world.waiting and len(running) < workers:
            name = world.waiting.pop(world.rng.randrange(len(world.waiting)))
            running.append(greenlet(lambda name=name: settle(name)))
        if running:
            worker = world.rng.choice(running)
            worker.switch()
            if worker.dead:
                running.remove(worker)


def play_uploads(world: World, workers: int = 4) -> None:
    """As `play`, until every image is final; images of changed groups are not settled again later."""
    finder: Any = world
    grouper = Grouper(duplicates=world, finder=finder)
    running: list[greenlet] = []

    def settle(name: str) -> None:
        world.visible.add(name)
        if not grouper.settle(ImageKey("c", name)).complete:
            world.waiting.append(name)

    while world.waiting or running:
        if world.waiting and len(running) < workers:
            running.append(greenlet(settle))
            running[-1].switch(world.waiting.pop(world.rng.randrange(len(world.waiting))))
        else:
            world.rng.choice(running).switch()
        running = [worker for worker in running if not worker.dead]


def groups(world: World) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, record in world.stored.items():
        if record.group:
            found.setdefault(record.group, set()).add(name)
    return {kept: members for kept, members in found.items() if len(members) > 1}


@pytest.mark.parametrize("part", range(4))
def test_copies_that_arrive_at_once_end_in_one_group_with_the_best_kept(part: int) -> None:
    for seed in range(part * HISTORIES // 4, (part + 1) * HISTORIES // 4):
        world = World(random.Random(seed), same_subject)
        names = [f"{subject}{copy}" for subject in "abcde" for copy in range(3)]
        for name in world.rng.sample(names, len(names)):
            world.add(name, int(name[1]))
        play(world)
        assert groups(world) == {f"{subject}0": {f"{subject}{copy}" for copy in range(3)} for subject in "abcde"}, seed


def test_a_group_is_complete_as_soon_as_its_images_are_final() -> None:
    for seed in range(HISTORIES):
        world = World(random.Random(seed), same_subject)
        names = [f"{subject}{copy}" for subject in "abc" for copy in range(3)]
        for name in world.rng.sample(names, len(names)):
            world.add(name, int(name[1]))
        play_uploads(world)
        assert groups(world) == {f"{subject}0": {f"{subject}{copy}" for copy in range(3)} for subject in "abc"}, seed


def test_frames_of_a_pan_are_no_chain() -> None:
    for seed in range(HISTORIES // 3):
        world = World(random.Random(seed), next_frames)
        frames = list(range(12))
        quality = world.rng.sample(frames, len(frames))
        for frame in world.rng.sample(frames, len(frames)):
            world.add(f"{frame:02}", quality[frame])
        play(world)
        for kept, members in groups(world).items():
            assert world.stored[kept].group == kept, seed
            assert all(next_frames(kept, member) for member in members), seed
        alone = [name for name, record in world.stored.items() if record.group in (None, name)]
        assert not any(next_frames(one, other) for one in alone for other in alone if one != other), seed


def test_images_that_were_decided_to_be_different_are_not_grouped() -> None:
    world = World(random.Random(1), same_subject, different={frozenset({"a0", "a1"})})
    for copy in range(3):
        world.add(f"a{copy}", copy)
    play(world)
    assert groups(world) == {"a0": {"a0", "a2"}}


@pytest.mark.parametrize(("best", "compared"), [(9, 1), (0, 9)])
def test_a_copy_is_compared_with_members_only_if_it_takes_the_place_of_what_is_kept(best: int, compared: int) -> None:
    """What was kept is then settled too: it is compared with the copy."""
    world = World(random.Random(1), same_subject)
    for copy in range(1, 9):
        world.add(f"a{copy}", copy)
    world.visible |= set(world.stored)
    play(world)
    world.add("a0", best)
    world.visible.add("a0")
    world.compared = 0
    finder: Any = world
    settled = Grouper(duplicates=world, finder=finder).settle(ImageKey("c", "a0"))
    assert world.compared == compared
    assert settled.nearest is not None
    assert set(groups(world)) == ({"a0"} if best == 0 else {"a1"})


@pytest.mark.parametrize(
    ("near", "best", "compared", "kept"), [("acd", 9, 1, "a"), ("cd", 9, 2, "c"), ("acd", 0, 3, "b"), ("", 9, 3, "")]
)
def test_details_are_compared_until_the_image_is_found_that_is_kept(
    near: str, best: int, compared: int, kept: str
) -> None:
    """That is the best one that is near, if it is better than the image; otherwise all that are near join it."""
    world = World(random.Random(1), lambda *pair: "b" in pair and bool(set(near) & set(pair)))
    for name, number in (("c", 4), ("a", 1), ("d", 7)):
        world.add(name, number)
    world.add("b", best)
    world.visible |= set(world.stored)
    finder: Any = world
    Grouper(duplicates=world, finder=finder).settle(ImageKey("c", "b"))
    assert world.compared == compared
    assert set(groups(world)) == set(kept)


def test_the_likeliest_images_are_compared_and_not_the_best_ones() -> None:
    world = World(random.Random(1), lambda *pair: set(pair) == {"b", "poor"})
    for number in range(2 * CANDIDATES):
        world.add(f"good {number}", number)
    world.add("poor", 98)
    world.add("b", 99)
    world.visible |= set(world.stored)
    finder: Any = world
    Grouper(duplicates=world, finder=finder).settle(ImageKey("c", "b"))
    assert groups(world) == {"poor": {"poor", "b"}}


def test_the_members_of_a_removed_image_are_compared_with_each_other() -> None:
    """It may be in the trash, so its signature can still be read."""
    world = World(random.Random(1), same_subject)
    for copy in range(3):
        world.add(f"a{copy}", copy)
    world.visible |= set(world.stored)
    play(world)
    del world.stored["a0"]
    world.waiting.append("a2")
    play(world)
    assert groups(world) == {"a1": {"a1", "a2"}}


def test_a_still_is_told_but_not_grouped_with_the_film_that_shows_it_too() -> None:
    """To keep only the best of them would delete the still's resolution, or the film's other scenes."""
    world = World(random.Random(1), same_subject, comparison=replace(NEAR, of_one_page=True))
    for name, best in (("a1", 1), ("a2", 2)):
        world.add(name, best)
        world.visible.add(name)
    settled = Grouper(duplicates=world, finder=world).settle(ImageKey("c", "a2"))  # type: ignore[arg-type]
    assert settled.nearest is not None
    assert (settled.nearest.image_id, settled.changed) == ("a1", False)
    assert all(record.group is None for record in world.stored.values())
