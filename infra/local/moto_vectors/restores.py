"""Vector indexes of tables that RestoreTableFromBackup and RestoreTableToPointInTime make.

They are built again from the restored items, as after UpdateTable: each starts in `lifecycle.first_phase()`.
"""

import functools
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from infra.local.moto_vectors.lifecycle import first_phase
from infra.local.moto_vectors.table_hooks import TableIndex, indexes, locked

Action = Callable[[DynamoHandler], ActionResult]


def install_restores() -> None:
    handler: Any = DynamoHandler
    handler.restore_table_from_backup = _restoring(
        handler.restore_table_from_backup, lambda of: of.dynamodb_backend.get_backup(of.body["BackupArn"]).table
    )
    handler.restore_table_to_point_in_time = _restoring(
        handler.restore_table_to_point_in_time, lambda of: of.dynamodb_backend.get_table(of.body["SourceTableName"])
    )


def _restoring(restore: Action, source_of: Callable[[DynamoHandler], Table]) -> Action:
    @locked
    @functools.wraps(restore)
    def restoring(handler: DynamoHandler) -> ActionResult:
        wanted = handler.body.get("VectorIndexOverride")
        restored = restore(handler)
        source = source_of(handler)
        table = handler.dynamodb_backend.get_table(handler.body["TargetTableName"])
        held = indexes(source)
        if not held:
            return restored
        names = list(held) if wanted is None else [entry["IndexName"] for entry in wanted]
        if not set(names) <= held.keys():
            del handler.dynamodb_backend.tables[handler.body["TargetTableName"]]
            raise MockValidationException("VectorIndexOverride names an index that the source table does not have")
        table.billing_mode = source.billing_mode  # which moto leaves out, and vector indexes need
        for name in names:
            indexes(table)[name] = TableIndex.over(held[name].definition, table.all_items(), first_phase())
        return DynamoResult(table.describe())

    return restoring
