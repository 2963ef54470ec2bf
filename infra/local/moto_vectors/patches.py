"""DynamoDB vector indexes and SearchVectors for moto 5.2, which lacks them; see docs/development/moto-vector-search.md.

`install()` changes moto where a pull request would: indexes in the table, updated where items are stored and removed;
`VectorIndexes` in CreateTable, UpdateTable, DescribeTable and CloudFormation; the search in the backend, and its action
in the response class.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend, Table
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from infra.local.moto_vectors import lifecycle, search_request
from infra.local.moto_vectors.packed_numbers import with_only
from infra.local.moto_vectors.restores import install_restores
from infra.local.moto_vectors.rules import (
    MAX_INDEXES,
    ON_DEMAND_ONLY,
    IndexDefinition,
    LimitExceeded,
    check_index,
    check_shape,
)
from infra.local.moto_vectors.table_hooks import TableIndex, indexes, install_hooks, locked, types_of
from infra.local.moto_vectors.vector_index import Hit

_MIN_BYTES: Final = 1024
"""The minimum that a search is charged for, in bytes."""


_ONE_AT_A_TIME: Final = (
    "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
)


def install() -> None:
    """Add vector search to moto. Further calls in the same process do nothing."""
    if hasattr(DynamoHandler, "search_vectors"):
        return
    install_hooks()
    DynamoDBBackend.search_vectors = search_vectors
    _install_creation()
    _install_actions()
    install_restores()


def search_vectors(backend: DynamoDBBackend, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a SearchVectors request, in the API's notation.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
    """
    search_request.read_top_k(request)
    table = backend.get_table(request["TableName"])
    index = indexes(table).get(request["IndexName"])
    if index is None:
        raise MockValidationException(f"The table does not have the specified index: {request['IndexName']}")
    lifecycle.check_searchable(index.phase, index.definition.name)
    query = search_request.parse(request, index.definition, types_of(table.attr))
    hits, examined = index.vectors.search(query.vector, query.partition, query.condition, query.top_k)
    answer: dict[str, Any] = {
        "SearchResults": [
            {"Item": _project(hit, query.paths, index.definition, table), "Score": hit.score} for hit in hits
        ]
    }
    if query.reports_capacity:
        answer["ConsumedCapacity"] = {"VectorSearchRequestBytes": float(max(examined, _MIN_BYTES))}
    return answer


def _project(hit: Hit, paths: Sequence[Sequence[str]] | None, index: IndexDefinition, table: Table) -> dict[str, Any]:
    """Return the attributes that the index projects and the request selects; the vector only if it is named."""
    shown = set(hit.item.attrs)
    if index.included is not None:
        shown &= {*table.table_key_attrs, *index.searched, *index.included}
    item = with_only(hit.item, shown - {index.attribute})
    if paths is None:
        return _wire(item)
    whole = {path[0] for path in paths if len(path) == 1 and "[" not in path[0]}
    parts = [path for path in paths if path[0] not in whole]
    # moto converts a whole item for each path, which takes longer for 50 items than the search itself.
    found = _wire(with_only(item, whole)) | (_wire(item.project(parts)) if parts else {})
    if index.attribute in whole:
        found[index.attribute] = {"L": [{"N": str(number)} for number in hit.vector]}
    return found


def _wire(item: Item) -> dict[str, Any]:
    return {name: value.to_regular_json() for name, value in item.attrs.items()}


def _definitions(
    wanted: Sequence[Mapping[str, Any]], *, types: Mapping[str, str], billing: str | None, taken: Iterable[str]
) -> list[IndexDefinition]:
    """Check the vector indexes of a new table and return their definitions."""
    for at, one in enumerate(wanted, start=1):
        check_shape(one, f"vectorIndexes.{at}.member")
    if len(wanted) > MAX_INDEXES:
        raise MockValidationException(
            "One or more parameter values were invalid: VectorIndex count exceeds the per-table limit of 5"
        )
    names, definitions = set(taken), list[IndexDefinition]()
    for one in wanted:
        definition = IndexDefinition.of(one)
        if definition.name in names:
            raise MockValidationException(
                f"One or more parameter values were invalid: Duplicate index name: {definition.name}"
            )
        check_index(definition, others=definitions, types=types, billing_mode=billing)
        names.add(definition.name)
        definitions.append(definition)
    return definitions


def _index_names(request: Mapping[str, Any]) -> list[str]:
    secondary = [*(request.get("GlobalSecondaryIndexes") or []), *(request.get("LocalSecondaryIndexes") or [])]
    return [index["IndexName"] for index in secondary]


def _install_creation() -> None:
    create = Table.create_from_cloudformation_json

    @locked
    def created(
        _: type[Table], resource_name: str, cloudformation_json: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Table:
        properties = cloudformation_json["Properties"]
        definitions = _definitions(
            properties.get("VectorIndexes") or [],
            types=types_of(properties.get("AttributeDefinitions") or []),
            billing=properties.get("BillingMode"),
            taken=_index_names(properties),
        )
        table = create(resource_name, cloudformation_json, *args, **kwargs)
        indexes(table).update({one.name: TableIndex.build(one, []) for one in definitions})
        return table

    Table.create_from_cloudformation_json = classmethod(created)


def _install_actions() -> None:
    create_table, update_table = DynamoHandler.create_table, DynamoHandler.update_table
    delete_table = DynamoHandler.delete_table
    validate_creation = DynamoHandler._validate_table_creation

    @locked
    def create(handler: DynamoHandler) -> ActionResult:
        wanted = handler.body.get("VectorIndexes") or []
        definitions = _definitions(
            wanted,
            types=types_of(handler.body.get("AttributeDefinitions") or []),
            billing=handler.body.get("BillingMode"),
            taken=_index_names(handler.body),
        )
        result = create_table(handler)
        if not definitions:
            return result
        table = handler.dynamodb_backend.get_table(handler.body["TableName"])
        indexes(table).update({one.name: TableIndex.build(one, []) for one in definitions})
        return DynamoResult(table.describe())

    def validate(handler: DynamoHandler, *, attr: list[dict[str, str]], **creation: Any) -> None:
        # moto refuses attributes that no key uses, so hide those that only a search schema uses.
        wanted = handler.body.get("VectorIndexes") or []
        searched = {entry["AttributeName"] for one in wanted for entry in one.get("SearchSchema") or []}
        keys = [*creation["key_schema"]]
        for secondary in ("global_indexes", "local_secondary_indexes"):
            keys += [entry for index in creation[secondary] or [] for entry in index["KeySchema"]]
        searched -= {entry["AttributeName"] for entry in keys}
        validate_creation(handler, attr=[one for one in attr if one["AttributeName"] not in searched], **creation)

    @locked
    def update(handler: DynamoHandler) -> ActionResult:
        table = handler.dynamodb_backend.get_table(handler.body["TableName"])
        if indexes(table) and handler.body.get("BillingMode") == "PROVISIONED":
            raise MockValidationException(ON_DEMAND_ONLY)
        changes = handler.body.get("VectorIndexUpdates") or []
        if not changes:
            return update_table(handler)
        change = _only_change(changes, handler.body.get("GlobalSecondaryIndexUpdates") or [])
        added = _new_index(table, change["Create"], handler.body) if "Create" in change else None
        if added is None:
            _check_deletion(table, change["Delete"]["IndexName"])
        declared = {entry["AttributeName"]: entry for entry in table.attr}
        update_table(handler)
        table.attr = list((declared | {entry["AttributeName"]: entry for entry in table.attr}).values())
        if added is None:
            del indexes(table)[change["Delete"]["IndexName"]]
        else:
            indexes(table)[added.name] = TableIndex.build(added, table.all_items(), lifecycle.initial_phase())
        return DynamoResult(table.describe())

    @locked
    def delete(handler: DynamoHandler) -> ActionResult:
        table = handler.dynamodb_backend.get_table(handler.body["TableName"])
        if any(lifecycle.is_creating(index.phase) for index in indexes(table).values()):
            raise lifecycle.ResourceInUse("Cannot delete table while indexes are being created, updated, or deleted.")
        return delete_table(handler)

    def search(handler: DynamoHandler) -> str:
        # Returns text: moto's serializer takes longer for 50 items than the search itself.
        return str(dynamo_json_dump(handler.dynamodb_backend.search_vectors(handler.body)))

    handler: Any = DynamoHandler
    handler.create_table, handler.update_table, handler.search_vectors = create, update, search
    handler.delete_table = delete
    handler._validate_table_creation = validate
    for name, refusal in (
        ("query", "Query operation not supported on this index type."),
        ("scan", "Scan operation not supported on this index type"),
    ):
        setattr(handler, name, _refuse_vector_indexes(getattr(handler, name), refusal))


def _refuse_vector_indexes(original: Callable[..., Any], refusal: str) -> Callable[..., Any]:
    """Wrap a read operation so that it refuses vector indexes."""

    @functools.wraps(original)
    def refusing(handler: DynamoHandler) -> ActionResult:
        if handler.body.get("IndexName"):
            table = handler.dynamodb_backend.get_table(handler.body["TableName"])
            if handler.body["IndexName"] in indexes(table):
                raise MockValidationException(refusal)
        return original(handler)

    return refusing


def _check_deletion(table: Table, name: str) -> None:
    if name not in indexes(table):
        raise ResourceNotFoundException()
    lifecycle.check_deletable(indexes(table)[name].phase)


def _only_change(changes: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    online = len(changes) + sum("Create" in one or "Delete" in one for one in others)
    if online > 1:
        raise LimitExceeded(_ONE_AT_A_TIME)
    return changes[0]


def _new_index(table: Table, wanted: Mapping[str, Any], request: Mapping[str, Any]) -> IndexDefinition:
    """Check the index that UpdateTable creates and return its definition.

    The same request must define the attributes of its search schema.
    """
    check_shape(wanted, "vectorIndexUpdates.1.member.create")
    if any(lifecycle.is_creating(index.phase) for index in indexes(table).values()):
        raise LimitExceeded(_ONE_AT_A_TIME)
    definition = IndexDefinition.of(wanted)
    if definition.name in {*indexes(table), *(index.name for index in table.all_indexes())}:
        raise MockValidationException("Attempting to create an index which already exists")
    if len(indexes(table)) >= MAX_INDEXES:
        raise LimitExceeded(
            "Subscriber limit exceeded: Number of vector secondary indexes exceeds per-table limit of 5"
        )
    check_index(
        definition,
        others=[index.definition for index in indexes(table).values()],
        types=types_of(request.get("AttributeDefinitions") or []),
        billing_mode=request.get("BillingMode") or table.billing_mode,
    )
    return definition
