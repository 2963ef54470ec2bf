"""Restore an exported collection: upload the images that the target does not have, and what was noted of them."""

import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from infra.operate.collection_client import ChangeRefused, CollectionClient
from infra.operate.collection_folder import CollectionFolder
from infra.operate.local_files import FoundFile
from infra.operate.manifest_lines import DecisionLine, GroupLine, ImageLine
from infra.operate.parallel import in_parallel
from infra.operate.upload_client import FailureCount, ServerFailed
from infra.operate.uploader import IN_COLLECTION, AddResult, AddStatus, Uploader

GROUP_SECONDS: Final = 120
"""How long to wait for the groups of images that were uploaded: longer than an index needs to catch up."""
GROUP_POLL_SECONDS: Final = 1.0
ANNOTATIONS: Final = ("external_id", "note", "fields", "favourite", "decided_tags")
_NAMED: Final = ("fields", "decided_tags")
"""Those that have values by name."""


class Importer:
    """Imports one folder.

    Args:
        overwrite: replace values that the target has.

    Attributes:
        differing: number of images of which the target has other annotations, which stayed.
        held: ids of the images that were imported, or were there.
    """

    def __init__(
        self, client: CollectionClient, uploader: Uploader, folder: CollectionFolder, *, parallel: int, overwrite: bool
    ) -> None:
        self._client = client
        self._uploader = uploader
        self._folder = folder
        self._parallel = parallel
        self._overwrite = overwrite
        self._annotated: dict[str, Mapping[str, Any]] = {}
        self.held: set[str] = set()
        self._failures = FailureCount()
        self._lock = threading.Lock()
        self.differing = 0

    def import_all(self, images: int) -> Generator[AddResult]:
        """Import the images of the manifest, which lists so many, and yield results as they come.

        Raises:
            ServerFailed: the server cannot be used.
        """
        self._uploader.look_up(images, self._note)
        return in_parallel(self._import, self._folder.images(), self._parallel, stop=self._client.stop)

    def restore_title(self, title: str | None) -> None:
        """Set the collection's title, unless it has one."""
        if title and not self._client.stats()["title"]:
            self._client.set_title(title)

    def restore_decisions(self, decisions: Sequence[DecisionLine]) -> Iterator[str]:
        """Store what was decided on pairs of images; yield a sentence for each decision that the API does not accept.

        Do so before the images come, so that they are never grouped otherwise.

        Raises:
            ServerFailed: the server cannot be used.
        """
        if not decisions:
            return
        known = set() if self._overwrite else {frozenset(one["images"]) for one in self._client.decisions()}
        for line in decisions:
            if frozenset(line.images) in known:
                continue
            try:
                self._client.decide(line.images, line.decision)
            except ChangeRefused as refused:
                yield f"{' and '.join(line.images)}: what was decided on them cannot be restored: {refused}"

    def restore_choices(self, chosen: Sequence[GroupLine], *, patience: float) -> Iterator[str]:
        """Have those images kept that somebody chose by hand; yield a sentence for each that cannot be.

        Args:
            patience: seconds to wait for groups that are still being formed, all together.
        """
        deadline = time.monotonic() + patience
        for group in chosen:
            if group.kept not in self.held or len(self.held.intersection(group.images)) == 1:
                yield f"{group.kept}: it was kept by choice, but it or its near-duplicates were not imported."
                continue
            while not (found := self._client.group(group.kept)) and time.monotonic() < deadline:
                self._client.pause(GROUP_POLL_SECONDS)
            if found is None:
                yield f"{group.kept}: it was kept by choice, but has no near-duplicates in the collection."
            elif found["chosen"] and found["best"] != group.kept and not self._overwrite:
                yield f"{group.kept}: it was kept by choice, but the collection's choice is {found['best']}."
            elif not found["chosen"] or found["best"] != group.kept:
                try:
                    self._client.keep(found["group_id"], group.kept)
                except ChangeRefused as refused:
                    yield f"{group.kept}: it was kept by choice, which cannot be restored: {refused}"

    def _note(self, image: Mapping[str, Any]) -> None:
        if any(image.get(name) for name in ANNOTATIONS):
            self._annotated[image["image_id"]] = {name: image.get(name) for name in ANNOTATIONS}

    def _import(self, image: ImageLine) -> AddResult:
        path = self._folder.file(image)
        result = self._uploader.add(FoundFile(path, named=True, name=image.filename, image_id=image.image_id))
        if result.status not in IN_COLLECTION:
            return result
        self.held.add(image.image_id)
        try:
            self._annotate(image, result.status)
        except ChangeRefused as refused:
            return replace(result, status=AddStatus.REJECTED, code="annotations", reason=str(refused))
        except ServerFailed as failed:
            self._failures.failed(failed)
            return replace(result, status=AddStatus.REJECTED, code="server", reason=str(failed))
        self._failures.succeeded()
        return result

    def _annotate(self, image: ImageLine, status: AddStatus) -> None:
        wanted = {name: getattr(image, name) for name in ANNOTATIONS}
        if not any(wanted.values()):
            return
        before = _flat(self._annotations(image.image_id, status))
        change = {name: value for name, value in _flat(wanted).items() if value != before.get(name)}
        missing = {name: value for name, value in change.items() if name not in before}
        if not self._overwrite and missing != change:
            with self._lock:
                self.differing += 1
            change = missing
        if change:
            self._client.annotate(image.image_id, _merge_patch(change))

    def _annotations(self, image_id: str, status: AddStatus) -> Mapping[str, Any]:
        """Return the target's annotations of an image."""
        if status is AddStatus.INDEXED:
            return {}
        if status is AddStatus.PRESENT and self._uploader.all_known:
            return self._annotated.get(image_id, {})
        return self._client.image(image_id)


def _flat(annotations: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return each value that is set, by its name or by that of the field and its own."""
    values: dict[tuple[str, ...], Any] = {
        (name,): annotations[name] for name in ANNOTATIONS if name not in _NAMED and annotations.get(name)
    }
    for field in _NAMED:
        values |= {(field, name): value for name, value in (annotations.get(field) or {}).items()}
    return values


def _merge_patch(flat: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {name[0]: value for name, value in flat.items() if len(name) == 1}
    for field in _NAMED:
        named = {name[1]: value for name, value in flat.items() if name[0] == field}
        patch |= {field: named} if named else {}
    return patch
