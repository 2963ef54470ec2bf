"""Act on groups of near-duplicates: keep others than the best, separate images, and resolve whole groups."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from functions.api.trash_bin import TrashBin
from shared.domain.duplicates import Decision, DuplicateGroup, best_first, kept_first
from shared.domain.errors import NotFound
from shared.domain.events import DuplicateCheck
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_GROUP_MEMBERS
from shared.domain.ports.duplicates import Duplicates
from shared.domain.ports.services import Messages
from shared.domain.preference import SENTENCES, prefer
from shared.search.near_duplicates import NearDuplicateFinder

MAX_COMPARED: Final = 100
"""Images that one call compares again, at about 0.1 s each: few enough for the time limit of a request. The first group
of a call may have more."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What resolving a group does: which images are kept, and which are deleted with the reason in words."""

    group_id: str
    kept: Sequence[ImageRecord]
    deleted: Sequence[tuple[ImageRecord, str]]


class DuplicateGroups:
    """The groups of one deployment, as people change them.

    Args:
        messages: has the ingest function settle the images of a changed group.
    """

    def __init__(
        self,
        *,
        duplicates: Duplicates,
        trash: TrashBin,
        finder: NearDuplicateFinder,
        messages: Messages,
    ) -> None:
        self._duplicates = duplicates
        self._trash = trash
        self._finder = finder
        self._messages = messages

    def group(self, collection: str, image_id: str) -> DuplicateGroup:
        """Return the group of an image, or the group with this id.

        Raises:
            NotFound: it is in no group.
        """
        record = self._duplicates.records(collection, [image_id]).get(image_id)
        name = (record.group if record else None) or image_id
        members = self._duplicates.members(ImageKey(collection, name), MAX_GROUP_MEMBERS + 1)
        known = self._duplicates.records(collection, {*members, image_id})
        records = best_first([one for one in known.values() if one.group == name])
        if len(records) < 2:  # noqa: PLR2004 - one image is no group
            raise NotFound("The image is in no group of near-duplicates.")
        return DuplicateGroup(
            name, kept_first(records, name)[:MAX_GROUP_MEMBERS], truncated=len(records) > MAX_GROUP_MEMBERS
        )

    def choose(self, collection: str, group_id: str, image_id: str) -> DuplicateGroup:
        """Keep another image of a group, whatever its quality; return the group.

        The other images are then compared with it. Those that are near-duplicates of the best one only leave the group.

        Raises:
            NotFound: there is no such group, or it does not have the image.
        """
        group = self.group(collection, group_id)
        if image_id not in {record.image_id for record in group.records}:
            raise NotFound("The group does not have this image.")
        for record in group.records:
            key = ImageKey(collection, record.image_id)
            if record.chosen != (record.image_id == image_id):
                self._duplicates.choose(key, chosen=not record.chosen)
            self._duplicates.place(key, image_id, before=record.group)
        self._settle(collection, [record.image_id for record in group.records])
        return self.group(collection, image_id)

    def decide(
        self, collection: str, image_id: str, other: str, decision: Decision | None, *, absent: bool = False
    ) -> None:
        """Store, or forget, what was decided on two images, and have them grouped accordingly.

        Args:
            absent: whether the collection may lack them; the decision then holds once they come.

        Raises:
            NotFound: the collection lacks one of them, or both are the same.
        """
        records = self._duplicates.records(collection, [image_id, other])
        complete = len(records) == 2  # noqa: PLR2004 - a pair
        if image_id == other or not (complete or absent):
            raise NotFound("The collection does not have two images with these ids.")
        self._duplicates.decide(ImageKey(collection, image_id), other, decision)
        if complete and decision is not None:
            self._separate(records[image_id], records[other])
        self._settle(collection, sorted(records))

    def _separate(self, one: ImageRecord, other: ImageRecord) -> None:
        """Take the image that is not kept out of the group of the one that is."""
        for record, kept in ((one, other.image_id), (other, one.image_id)):
            if record.group == kept:
                self._duplicates.place(ImageKey(record.collection, record.image_id), None, before=kept)

    def resolve_first(
        self, wanted: Sequence[tuple[DuplicateGroup, Collection[str]]], *, dry_run: bool
    ) -> Sequence[Resolution]:
        """Resolve the first of some groups: one, and those after it while no more than `MAX_COMPARED` are compared.

        Args:
            wanted: groups with the images to keep; see `resolve`.

        Raises:
            NotFound: one of the groups has none of the images to keep; then nothing is deleted.
        """
        compared, first = 0, 0
        for group, keep in wanted:
            kept = len(self.kept(group, keep))
            compared += kept * (len(group.records) - kept)
            first += compared <= MAX_COMPARED
        return [self.resolve(group, keep, dry_run=dry_run) for group, keep in wanted[: max(first, 1)]]

    def resolve(self, group: DuplicateGroup, keep: Collection[str] = (), *, dry_run: bool) -> Resolution:
        """Keep some images of a group, and delete those of the others that are near-duplicates of one of them.

        Each is compared again: a group from an older version may be a chain, the best image may not be among those that
        are kept, and a group whose kept image was just changed may not have been settled. What is no near-duplicate is
        settled instead.

        Of several that are kept, it is remembered for ever that both of each pair are wanted. Nothing is deleted unless
        an image that is kept still exists.

        Args:
            keep: see `kept`.
            dry_run: only return what would be done.

        Raises:
            NotFound: see `kept`.
        """
        kept = self.kept(group, keep)
        others = [record.image_id for record in group.records if record not in kept]
        copies = self._copies(kept, others)
        reasons = [(record, _reason(kept[0], record)) for record in group.records if record.image_id in copies]
        if dry_run:
            return Resolution(group.group_id, kept, reasons)
        collection = kept[0].collection
        kept = list(self._duplicates.records(collection, [record.image_id for record in kept]).values())
        deleted = [(record, reason) for record, reason in reasons if kept and self._delete(record)]
        for one, other in combinations(kept, 2):
            self._duplicates.decide(ImageKey(collection, one.image_id), other.image_id, Decision.BOTH_KEPT)
        if len(kept) > 1:
            for record in kept:
                self._duplicates.place(ImageKey(collection, record.image_id), None, before=record.group)
        self._settle(collection, [one for one in others if one not in copies])
        return Resolution(group.group_id, kept, deleted)

    def kept(self, group: DuplicateGroup, keep: Collection[str]) -> list[ImageRecord]:
        """Return the images of a group that are kept: the best one if `keep` is empty.

        Raises:
            NotFound: the group has none of `keep`, for example because it has changed since it was shown.
        """
        kept = [record for record in group.records if record.image_id in set(keep)] if keep else [group.records[0]]
        if not kept:
            raise NotFound("The group does not have the images to keep.")
        return kept

    def _copies(self, kept: Sequence[ImageRecord], others: Sequence[str]) -> set[str]:
        """Return those of other images that are near-duplicates of a kept one, and that nobody told apart from it."""
        found: set[str] = set()
        for record in kept:
            key = ImageKey(record.collection, record.image_id)
            decided = self._duplicates.decisions(key)
            found |= self._finder.near(key, [one for one in others if one not in found and one not in decided])
        return found

    def _delete(self, record: ImageRecord) -> bool:
        try:
            self._trash.delete(record.image_id, (record.collection,))
        except NotFound:
            return False
        return True

    def _settle(self, collection: str, image_ids: Sequence[str]) -> None:
        for image_id in image_ids:
            self._messages.postpone(DuplicateCheck(ImageKey(collection, image_id)))


def _reason(kept: ImageRecord, deleted: ImageRecord) -> str:
    found = prefer(kept, deleted)
    return SENTENCES[found.reason] if found.first else "The other one was chosen by hand."
