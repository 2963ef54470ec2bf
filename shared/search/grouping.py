"""Put an image into the group of near-duplicates that it belongs to.

A group is one kept image and those that are near-duplicates of it; its members need not be near-duplicates of each
other, so it is no chain whose ends share nothing. The kept image is the best one. Whoever comes later and is better
takes its place, and the members are then compared with it.

A file with several pages or scenes is in no group with an image that shows one of them: neither replaces the other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.duplicates import best_first
from shared.domain.errors import IndexNotReady
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_GROUP_MEMBERS
from shared.domain.matches import Comparison
from shared.domain.outcomes import Neighbour
from shared.domain.ports.duplicates import Duplicates
from shared.domain.preference import prefer
from shared.search.description import Description
from shared.search.near_duplicates import CANDIDATES, Compared, Look, NearDuplicateFinder

ROUNDS: Final = 5
"""Maximum number of attempts while other workers change the same groups; then the image is settled again later."""
SETTLED_AT_ONCE: Final = 20
"""Maximum number of members of changed groups that are settled with the image that changed them; a group of copies that
arrive together has few."""
MAX_STEPS: Final = 3
"""Maximum number of images that are followed from one that is no longer kept to the one that is."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What settling an image did.

    Attributes:
        nearest: the best match among the near-duplicates that the image was compared with.
        changed: whether a group changed.
        complete: whether no image can have been missed; otherwise it must be settled again.
        affected: images of changed groups. They have been settled too, but must be once more if a store's list of
            members may lag behind.
    """

    nearest: Neighbour | None = None
    changed: bool = False
    complete: bool = True
    affected: Collection[str] = ()


class Grouper:
    """Settles images in groups. Any number of workers may settle images of one collection at a time.

    Whatever the order, the images of a group end in it: of two images that are near-duplicates, the one that is looked
    at later sees the other (`Look.complete`), and both prefer the same one. A worker that moves an image into a group
    checks afterwards that the group's image is still kept, and one that moves a kept image has its members settled.
    """

    def __init__(self, *, duplicates: Duplicates, finder: NearDuplicateFinder) -> None:
        self._duplicates = duplicates
        self._finder = finder

    def settle(self, image_key: ImageKey, described: Description | None = None) -> Settled:
        """Put an image into the group of its near-duplicates or them into its own, and settle the members of both.

        So whoever joined a group while this worker emptied it is moved before this image is final.

        Args:
            described: see `NearDuplicateFinder.look`.

        Raises:
            IndexNotReady: a vector index is being built.
        """
        settled = self._settle(image_key, described)
        left = self._settle_members(image_key, settled.affected)
        return replace(settled, complete=settled.complete and not left)

    def _settle_members(self, image_key: ImageKey, affected: Iterable[str]) -> bool:
        """Settle images of changed groups, and those that are affected by that; return whether some are left."""
        seen, waiting = {image_key.image_id}, sorted(set(affected) - {image_key.image_id})
        while waiting and len(seen) <= SETTLED_AT_ONCE:
            member = replace(image_key, image_id=waiting.pop(0))
            seen.add(member.image_id)
            try:
                further = {*self._settle(member, None).affected, *self.stray(member)}
            except IndexNotReady:
                return True
            if further & seen:
                return True
            waiting += sorted(further - set(waiting))
        return bool(waiting)

    def _settle(self, image_key: ImageKey, described: Description | None) -> Settled:
        look = self._finder.look(image_key, described)
        if look is None:
            return Settled()
        decided = self._duplicates.decisions(image_key)
        seen = _Seen(self._finder, look, decided)
        heads = self._compare_likely(image_key.collection, look, seen)
        changed, affected = False, set[str]()
        for _ in range(ROUNDS):
            move = self._decide(image_key, seen, heads)
            if move is None:
                return Settled()
            placed, done = self._apply(image_key.collection, move)
            changed |= placed
            affected |= self._affected(image_key, move) if placed else set()
            if done and self._is_kept(image_key.collection, move.kept):
                return Settled(seen.nearest(), changed, look.complete, affected)
        return Settled(seen.nearest(), changed, complete=False, affected=affected)

    def _decide(self, image_key: ImageKey, seen: "_Seen", heads: Mapping[str, str]) -> "_Move | None":
        """Return how the groups should change; None if the image was removed.

        Before it joins none, the image is compared with all that was left, before others join it, with their members,
        and if none is near, with members of any group, since one may be near though what is kept of its group is not.
        """
        while True:
            records = self._records(image_key.collection, seen)
            if image_key.image_id not in records:
                return None
            move = _choose(records[image_key.image_id], records, seen.near)
            if move.kept not in (None, image_key.image_id):
                return move
            members = [one for one, head in heads.items() if move.kept and head in move.changes]
            if not seen.compare(members) and (seen.near or not seen.find_one(heads)):
                return move

    def _compare_likely(self, collection: str, look: Look, seen: "_Seen") -> Mapping[str, str]:
        """Compare an image with what is kept of its candidates' groups, and with candidates that are in no group.

        The best of them come first, so that the first near-duplicate that is better than the image is the one that it
        joins; those after it are left.

        Returns:
            What is kept of each candidate's group, or the candidate itself.
        """
        own = look.subject.record

        def is_joined(found: Neighbour) -> bool:
            record = records.get(found.image_id)
            return record is not None and not prefer(own, record, found.comparison.overlap).first

        records = dict(self._duplicates.records(collection, look.candidates)) if look.candidates else {}
        kept = {record.group for record in records.values() if record.group} - set(records)
        records |= self._duplicates.records(collection, kept) if kept else {}
        heads = {one: (_kept(records[one], records) if one in records else None) or one for one in look.candidates}
        existing = [records[head] for head in dict.fromkeys(heads.values()) if head in records]
        best = {record.image_id: place for place, record in enumerate(best_first(existing))}
        likely = [*look.same_pixels, *(record.image_id for record in existing)]
        seen.compare_until(likely, is_joined, lambda image_id: best.get(image_id, -1))
        return heads

    def _records(self, collection: str, seen: "_Seen") -> Mapping[str, ImageRecord]:
        """Return the records of the image, of its near-duplicates, and of what is kept of their groups.

        The image is compared with the latter too.
        """
        records = dict(self._duplicates.records(collection, {seen.image_id, *seen.near}))
        for _ in range(MAX_STEPS):
            kept = {record.group for record in records.values() if record.group} - set(records)
            found = self._duplicates.records(collection, kept) if kept else {}
            if not found:
                break
            records |= found
            seen.compare_kept(sorted(found))
        return records

    def _apply(self, collection: str, move: "_Move") -> tuple[bool, bool]:
        """Make the changes; return whether there were any, and whether all succeeded."""
        placed = False
        for image_id, (before, after) in move.changes.items():
            if before != after:
                if not self._duplicates.place(ImageKey(collection, image_id), after, before=before):
                    return placed, False
                placed = True
        return placed, True

    def _affected(self, image_key: ImageKey, move: "_Move") -> set[str]:
        """Return the members of groups whose image is no longer kept, and those images, which more may have joined."""
        demoted = {one for one, (before, after) in move.changes.items() if before == one != after}
        members = {
            member
            for one in demoted
            for member in self._duplicates.members(ImageKey(image_key.collection, one), MAX_GROUP_MEMBERS)
        }
        return (members - set(move.changes)) | (demoted - {image_key.image_id})

    def stray(self, image_key: ImageKey) -> Collection[str]:
        """Return images that joined the group of an image while it was no longer kept."""
        record = self._duplicates.records(image_key.collection, [image_key.image_id]).get(image_key.image_id)
        if record is None or record.group in (None, image_key.image_id):
            return ()
        return self._duplicates.members(image_key, MAX_GROUP_MEMBERS)

    def _is_kept(self, collection: str, kept: str | None) -> bool:
        """Return whether an image is still kept: another worker may have moved it while this one joined it."""
        if kept is None:
            return True
        record = self._duplicates.records(collection, [kept]).get(kept)
        return record is not None and record.group == kept


class _Seen:
    """What an image has been compared with: each other image once, and no more than `CANDIDATES` of the likely ones."""

    def __init__(self, finder: NearDuplicateFinder, look: Look, decided: Collection[str]) -> None:
        self._finder = finder
        self._look = look
        self._over = {look.subject.record.image_id, *decided}
        self._left = CANDIDATES
        self._postponed: list[Compared] = []
        self._found: list[Neighbour] = []
        self.image_id = look.subject.record.image_id
        self.near: dict[str, Comparison] = {}

    def compare(self, others: Iterable[str]) -> bool:
        """Compare the image with others, and with what `compare_until` left; return whether one is near."""
        details = [*self._postponed, *self._promising(others)]
        self._postponed = []
        return bool(self._settle(details))

    def compare_until(
        self, others: Iterable[str], enough: Callable[[Neighbour], bool], order: Callable[[str], int]
    ) -> None:
        """Compare the image with others, the lowest `order` first; leave those after a near one that is `enough`.

        Args:
            others: the most likely ones first, of which `CANDIDATES` are compared, whatever their order.
        """
        waiting = sorted(self._promising(others), key=lambda one: order(one.image_id))
        while waiting and not any(map(enough, self._settle([waiting.pop(0)]))):
            pass
        self._postponed += waiting

    def find_one(self, others: Iterable[str]) -> bool:
        """Compare the image with others, the most likely ones first, until one is near; return whether one is."""
        return any(self._settle([one]) for one in self._promising(others))

    def compare_kept(self, others: Iterable[str]) -> None:
        """Compare the image with what is kept of groups, even beyond `CANDIDATES`."""
        self._settle(self._promising(others, beyond=True))

    def _promising(self, others: Iterable[str], *, beyond: bool = False) -> list[Compared]:
        wanted = [one for one in dict.fromkeys(others) if one not in self._over]
        if not beyond:
            wanted = wanted[: self._left]
            self._left -= len(wanted)
        self._over.update(wanted)
        return self._finder.promising(self._look, wanted)

    def _settle(self, promising: Sequence[Compared]) -> list[Neighbour]:
        """Compare details; return the near-duplicates that may be in one group with the image."""
        found = self._finder.settle(self._look, promising)
        self._found += found
        near = [one for one in found if not one.comparison.of_one_page]
        self.near |= {one.image_id: one.comparison for one in near}
        return near

    def nearest(self) -> Neighbour | None:
        """Return the best match among the near-duplicates, also of those that are in no group with the image."""
        return max(self._found, key=lambda one: one.comparison.score, default=None)


@dataclass(frozen=True, slots=True)
class _Move:
    """A change of groups: which image is kept afterwards, and the group of each image before and after."""

    kept: str | None
    changes: Mapping[str, tuple[str | None, str | None]]


def _choose(own: ImageRecord, records: Mapping[str, ImageRecord], near: Mapping[str, Comparison]) -> _Move:
    """Return how the groups should change.

    An image joins the best of the kept near-duplicates that are better than itself. If there are some, but none is
    better, they and those of their members that are near-duplicates of it join it.
    """
    found = [records[image_id] for image_id in near if image_id in records]
    kept = [record for record in found if _kept(record, records) in (None, record.image_id)]
    better = [record for record in kept if not prefer(own, record, near[record.image_id].overlap).first]
    if better:
        best = best_first(better)[0].image_id
        return _Move(best, {best: (records[best].group, best), own.image_id: (own.group, best)})
    if kept:
        joining = {record.image_id for record in kept}
        joining |= {record.image_id for record in found if record.group in joining}
        changes = {image_id: (records[image_id].group, own.image_id) for image_id in sorted(joining)}
        return _Move(own.image_id, {own.image_id: (own.group, own.image_id)} | changes)
    if _kept(own, records) in (None, own.image_id):
        return _Move(None, {})
    return _Move(None, {own.image_id: (own.group, None)})


def _kept(record: ImageRecord, records: Mapping[str, ImageRecord]) -> str | None:
    """Return what is kept of an image's group; None without a group, or if that has been removed."""
    return record.group if record.group in records else None
