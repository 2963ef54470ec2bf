"""DynamoDB vector indexes and SearchVectors for moto 5.2, which lacks them; see docs/vector-search.md.

`install()` adds to moto what a pull request would: the index to the table, kept up to date where items are written;
`VectorIndexes` to CreateTable, UpdateTable, DescribeTable and CloudFormation; the action to the response class.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend, Table
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from infra.local.packed_numbers import pack, without_others
from infra.local.vector_index import MAX_DIMENSIONS, Definition, VectorIndex, scalar_of, vector_of

MAX_TOP_K: Final = 100
DISTANCES: Final = ("COSINE", "DOT_PRODUCT", "EUCLIDEAN")
_CLAUSE: Final = re.compile(r"^\s*(?P<name>[#\w.\-]+)\s*(?P<operator>=|<>|<=|>=|<|>)\s*(?P<value>:\w+)\s*$")
_NAME: Final = re.compile(r"^[a-zA-Z0-9_.-]{3,255}$")


def indexes(table: Table) -> dict[str, VectorIndex]:
    """The vector indexes of a table, by name."""
    return cast(dict[str, VectorIndex], table.__dict__.setdefault("vector_indexes", {}))


def define(wanted: Mapping[str, Any], table: Mapping[str, Any]) -> Definition:
    """A `VectorIndex` structure, checked against the table that it is for.

    Args:
        table: `attributes` (declared names), `billing_mode` and `dimensions` (of vector attributes in use).

    Raises:
        MockValidationException: as the service answers.
    """
    name, dimensions = wanted["IndexName"], int(wanted["Dimensions"])
    schema: Sequence[Mapping[str, str]] = wanted.get("SearchSchema") or []
    hash_keys = [entry["AttributeName"] for entry in schema if entry["SearchSchemaElementType"] == "HASH"]
    filters = [entry["AttributeName"] for entry in schema if entry["SearchSchemaElementType"] == "INLINE_FILTER"]
    attribute = wanted["VectorAttribute"]["AttributeName"]
    invalid = "One or more parameter values were invalid: "
    if table["billing_mode"] != "PAY_PER_REQUEST":
        raise MockValidationException(invalid + "Vector indexes are only supported on tables with PAY_PER_REQUEST")
    if not _NAME.match(name):
        raise MockValidationException(invalid + f"IndexName {name} must match [a-zA-Z0-9_.-]+, 3 to 255 characters")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise MockValidationException(invalid + f"Dimensions must be between 1 and {MAX_DIMENSIONS}")
    if wanted["DistanceFunction"] not in DISTANCES:
        raise MockValidationException(invalid + f"DistanceFunction must be one of {', '.join(DISTANCES)}")
    if len(hash_keys) > 1:
        raise MockValidationException(invalid + "SearchSchema can have at most one HASH key")
    if not {*hash_keys, *filters} <= set(table["attributes"]):
        raise MockValidationException("One element in SearchSchema is not defined in attribute definitions")
    if table["dimensions"].get(attribute, dimensions) != dimensions:
        raise MockValidationException(invalid + f"All vector indexes on {attribute} must have the same Dimensions")
    return Definition(
        name=name,
        attribute=attribute,
        dimensions=dimensions,
        distance=wanted["DistanceFunction"],
        hash_key=hash_keys[0] if hash_keys else None,
        filters=filters,
        projection=wanted.get("Projection") or {"ProjectionType": "ALL"},
        described=dict(wanted),
    )


def attach(table: Table, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Add vector indexes to a table and fill them with the items that are there."""
    for one in wanted:
        held = indexes(table)
        if one["IndexName"] in held:
            raise MockValidationException(f"Index already exists: {one['IndexName']}")
        definition = define(
            one,
            {
                "attributes": [entry["AttributeName"] for entry in table.attr],
                "billing_mode": table.billing_mode,
                "dimensions": {index.definition.attribute: index.definition.dimensions for index in held.values()},
            },
        )
        index = VectorIndex(definition)
        for item in table.all_items():
            index.put(_key(item), _attributes(item, definition))
        held[definition.name] = index


def validate_write(table: Table, item: Mapping[str, Any]) -> None:
    """Refuse a vector that an index of the table could not hold: of the wrong type or length."""
    for index in indexes(table).values():
        name, dimensions = index.definition.attribute, index.definition.dimensions
        if name not in item:
            continue
        vector = vector_of(item[name])
        if vector is None:
            raise MockValidationException(
                f"One or more parameter values were invalid: Type mismatch for vector attribute {name}: "
                "expected a list of numbers"
            )
        if len(vector) != dimensions:
            raise MockValidationException(
                f"One or more parameter values were invalid: vector attribute {name} has {len(vector)} dimensions, "
                f"index {index.definition.name} expects {dimensions}"
            )


def search_vectors(backend: DynamoDBBackend, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a SearchVectors request, in the API's own notation.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
    """
    table = backend.get_table(request["TableName"].split("/")[-1])
    index = indexes(table).get(request["IndexName"])
    if index is None:
        raise MockValidationException(f"The table does not have the specified index: {request['IndexName']}")
    wanted = index.definition
    top_k = int(request["TopK"])
    if not 1 <= top_k <= MAX_TOP_K:
        raise MockValidationException("Provided TopK value is out of valid range")
    query = vector_of({"L": list(request["SearchVector"])})
    if query is None:
        raise MockValidationException("SearchVector must be a list of numbers")
    if len(query) != wanted.dimensions:
        raise MockValidationException(
            f"SearchVector has {len(query)} dimensions, index {wanted.name} expects {wanted.dimensions}"
        )
    used: set[str] = set()
    conditions = _conditions(request, wanted, used)
    projection = _projection(request, used)
    _refuse_unused(request, used)
    hash_value = conditions.pop(wanted.hash_key) if wanted.hash_key else ()
    hits, examined = index.search(query, hash_value, conditions, top_k)
    held = wanted.projected(_table_keys(table))
    names = held if projection is None else projection if held is None else projection & held
    results = []
    for hit in hits:
        item = table.get_item(*hit.key)
        if item is not None:
            results.append({"Item": _shown(item, names), "Score": hit.score})
    answer: dict[str, Any] = {"SearchResults": results}
    if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
        answer["ConsumedCapacity"] = {"VectorSearchRequestBytes": float(examined)}
    return answer


def _conditions(request: Mapping[str, Any], wanted: Definition, used: set[str]) -> dict[str, tuple[str, str]]:
    expression = request.get("SearchConditionExpression")
    if not expression:
        if wanted.hash_key:
            raise MockValidationException("SearchConditionExpression must be provided when SearchSchema has a HASH key")
        return {}
    found: dict[str, tuple[str, str]] = {}
    for clause in re.split(r"\s+AND\s+", expression.strip(), flags=re.IGNORECASE):
        match = _CLAUSE.match(clause)
        if match is None or match["operator"] != "=":
            raise MockValidationException("Invalid comparator used in SearchConditionExpression")
        name = _resolve(match["name"], request, used)
        value = scalar_of((request.get("ExpressionAttributeValues") or {}).get(match["value"]))
        used.add(match["value"])
        if value is None:
            raise MockValidationException(
                "Invalid SearchConditionExpression: An expression attribute value used in expression is not "
                f"defined; attribute value: {match['value']}"
            )
        if name not in (wanted.hash_key, *wanted.filters):
            raise MockValidationException(
                f"Invalid SearchConditionExpression: attribute {name} is not part of the SearchSchema"
            )
        found[name] = value
    if wanted.hash_key and wanted.hash_key not in found:
        raise MockValidationException("SearchConditionExpression must be provided when SearchSchema has a HASH key")
    return found


def _projection(request: Mapping[str, Any], used: set[str]) -> set[str] | None:
    expression = request.get("ProjectionExpression")
    if not expression:
        return None
    return {_resolve(name.strip(), request, used) for name in expression.split(",")}


def _resolve(name: str, request: Mapping[str, Any], used: set[str]) -> str:
    if not name.startswith("#"):
        return name
    used.add(name)
    try:
        return str((request.get("ExpressionAttributeNames") or {})[name])
    except KeyError:
        raise MockValidationException(
            f"An expression attribute name used in the document path is not defined; attribute name: {name}"
        ) from None


def _refuse_unused(request: Mapping[str, Any], used: set[str]) -> None:
    for parameter in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        unused = sorted(set(request.get(parameter) or {}) - used)
        if unused:
            raise MockValidationException(
                f"Value provided in {parameter} unused in expressions: keys: {{{', '.join(unused)}}}"
            )


def _key(item: Item) -> tuple[Any, Any]:
    return item.hash_key, item.range_key


def _table_keys(table: Table) -> list[str]:
    return [name for name in (table.hash_key_attr, table.range_key_attr) if name]


def _shown(item: Item, names: set[str] | None) -> dict[str, Any]:
    return {name: value.to_regular_json() for name, value in item.attrs.items() if names is None or name in names}


def _attributes(item: Item, wanted: Definition) -> dict[str, Any]:
    return _shown(item, {wanted.attribute, *wanted.filters, *([wanted.hash_key] if wanted.hash_key else [])})


def _after(original: Callable[..., Any], then: Callable[..., None]) -> Callable[..., Any]:
    """`original`, followed by `then(result, ...)` with its arguments."""

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        then(result, *args, **kwargs)
        return result

    return wrapped


def _index_item(table: Table, item: Item | None) -> None:
    for index in indexes(table).values():
        if item is not None:
            index.put(_key(item), _attributes(item, index.definition))


def install() -> None:
    """Add vector search to moto, once a process."""
    if hasattr(DynamoHandler, "search_vectors"):
        return
    _install_table()
    _install_actions()


def _install_table() -> None:
    put_item = Table.put_item

    @functools.wraps(put_item)
    def checked_put(table: Table, item_attrs: dict[str, Any], *args: Any, **kwargs: Any) -> Item:
        validate_write(table, item_attrs)
        item = put_item(table, item_attrs, *args, **kwargs)
        _index_item(table, item)
        for index in indexes(table).values():
            pack(item, index.definition.attribute)
        return item

    def deleted(result: Any, table: Table, hash_key: Any, range_key: Any) -> None:
        if result is not None:
            for index in indexes(table).values():
                index.delete((hash_key, range_key))

    def described(result: dict[str, Any], table: Table, base_key: str = "TableDescription") -> None:
        if indexes(table):
            result[base_key]["VectorIndexes"] = [
                dict(index.definition.described)
                | {
                    "IndexStatus": "ACTIVE",
                    "Backfilling": False,
                    "ItemCount": len(index),
                    "IndexSizeBytes": index.size_bytes,
                    "IndexArn": f"{table.table_arn}/index/{index.definition.name}",
                }
                for index in indexes(table).values()
            ]

    create = Table.create_from_cloudformation_json

    def created(
        _: type[Table], resource_name: str, cloudformation_json: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Table:
        table = create(resource_name, cloudformation_json, *args, **kwargs)
        attach(table, _numbers(cloudformation_json["Properties"].get("VectorIndexes", [])))
        return table

    def updated(item: Any, backend: DynamoDBBackend, table_name: str, *_: Any, **__: Any) -> None:
        _index_item(backend.get_table(table_name), item)

    project = Item.project

    def quick_project(item: Item, expressions: list[list[str]]) -> Item:
        return project(without_others(item, expressions), expressions)

    Item.project = quick_project
    Table.put_item = checked_put
    Table.delete_item = _after(Table.delete_item, deleted)
    Table.describe = _after(Table.describe, described)
    Table.create_from_cloudformation_json = classmethod(created)
    DynamoDBBackend.update_item = _after(DynamoDBBackend.update_item, updated)


def _install_actions() -> None:
    create_table, update_table = DynamoHandler.create_table, DynamoHandler.update_table

    def create(handler: DynamoHandler) -> ActionResult:
        wanted = handler.body.get("VectorIndexes") or []
        attributes = [entry["AttributeName"] for entry in handler.body.get("AttributeDefinitions", [])]
        billing = handler.body.get("BillingMode", "PROVISIONED")
        for one in wanted:
            define(one, {"attributes": attributes, "billing_mode": billing, "dimensions": {}})
        if not wanted:
            return create_table(handler)
        whole = handler.body
        # moto refuses attributes that no key uses: those of a search schema are declared all the same.
        searched = {entry["AttributeName"] for one in wanted for entry in one.get("SearchSchema") or []}
        keyed = {entry["AttributeName"] for keys in _key_schemas(whole) for entry in keys}
        handler.body = whole | {
            "AttributeDefinitions": [
                entry
                for entry in whole["AttributeDefinitions"]
                if entry["AttributeName"] in keyed or entry["AttributeName"] not in searched
            ]
        }
        create_table(handler)
        table = handler.dynamodb_backend.get_table(whole["TableName"])
        table.attr = whole["AttributeDefinitions"]
        attach(table, wanted)
        return DynamoResult(table.describe())

    def update(handler: DynamoHandler) -> ActionResult:
        result = update_table(handler)
        table = handler.dynamodb_backend.get_table(handler.body["TableName"])
        for change in handler.body.get("VectorIndexUpdates") or []:
            if "Create" in change:
                attach(table, [change["Create"]])
            elif indexes(table).pop(change["Delete"]["IndexName"], None) is None:
                raise ResourceNotFoundException(
                    f"Requested resource not found: Index: {change['Delete']['IndexName']} not found"
                )
        return DynamoResult(table.describe()) if handler.body.get("VectorIndexUpdates") else result

    def search(handler: DynamoHandler) -> ActionResult:
        return DynamoResult(search_vectors(handler.dynamodb_backend, handler.body))

    handler: Any = DynamoHandler
    handler.create_table, handler.update_table, handler.search_vectors = create, update, search


def _key_schemas(request: Mapping[str, Any]) -> list[Sequence[Mapping[str, str]]]:
    secondary = (request.get("GlobalSecondaryIndexes") or []) + (request.get("LocalSecondaryIndexes") or [])
    return [request["KeySchema"], *(index["KeySchema"] for index in secondary)]


def _numbers(wanted: Any) -> list[dict[str, Any]]:
    """CloudFormation may give numbers as text."""
    return [dict(one) | {"Dimensions": int(one["Dimensions"])} for one in wanted]
