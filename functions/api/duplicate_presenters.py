"""Convert groups of near-duplicates, and what is done with them, to response models."""

from functions.api.duplicate_groups import Resolution
from functions.api.presenters import View, image
from functions.api.schemas import duplicates
from shared.domain.duplicate_scans import DuplicateScan
from shared.domain.duplicates import DuplicateGroup


def group(found: DuplicateGroup, view: View) -> duplicates.DuplicateGroup:
    return duplicates.DuplicateGroup(
        group_id=found.group_id,
        best=found.records[0].image_id,
        reasons=dict(found.reasons()),
        chosen=found.records[0].chosen,
        images=[image(record, view) for record in found.records],
        truncated=found.truncated,
    )


def resolution(done: Resolution) -> duplicates.ResolvedGroup:
    return duplicates.ResolvedGroup(
        group_id=done.group_id,
        kept=[record.image_id for record in done.kept],
        deleted=[
            duplicates.DeletedDuplicate(image_id=record.image_id, filename=record.filename, reason=reason)
            for record, reason in done.deleted
        ],
    )


def scan(found: DuplicateScan) -> duplicates.DuplicateCheckState:
    return duplicates.DuplicateCheckState(
        collection=found.collection,
        status=found.status,
        images=found.images,
        done=found.done,
        changed=found.changed,
        started_at=found.started_at,
    )
