"""Vector indexes of tables that RestoreTableFromBackup and RestoreTableToPointInTime create.

As after UpdateTable, they are built from the restored items: each starts in `lifecycle.initial_phase()`.
"""

import functools
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from infra.local.moto_vectors.lifecycle import initial_phase
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
        source_indexes = indexes(source)
        if not source_indexes:
            return restored
        names = list(source_indexes) if wanted is None else [entry["IndexName"] for entry in wanted]
        if not set(names) <= source_indexes.keys():
            del handler.dynamodb_backend.tables[handler.body["TargetTableName"]]
            raise MockValidationException("VectorIndexOverride names an index that the source table does not have")
        table.billing_mode = source.billing_mode  # moto omits it, and vector indexes need it
        for name in names:
            indexes(table)[name] = TableIndex.build(source_indexes[name].definition, table.all_items(), initial_phase())
        return DynamoResult(table.describe())

    return restoring
