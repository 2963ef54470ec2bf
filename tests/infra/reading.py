"""Read a CloudFormation template."""

import re
from collections.abc import Mapping
from typing import Any


def resources(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The properties of every resource of a type, by its logical id without the CDK's hash."""
    return {
        plain(name): resource.get("Properties", {})
        for name, resource in document["Resources"].items()
        if resource["Type"] == kind
    }


def only(document: Mapping[str, Any], kind: str) -> Any:
    """The properties of the one resource of a type."""
    (found,) = resources(document, kind).values()
    return found


def function(document: Mapping[str, Any], name: str) -> Any:
    """The properties of the function that runs `functions/<name>`."""
    for properties in resources(document, "AWS::Lambda::Function").values():
        if f"functions.{name}.handler.handler" in (
            properties.get("Handler"),
            *properties.get("ImageConfig", {}).get("Command", []),
        ):
            return properties
    raise LookupError(name)


def plain(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)


def text(value: Any) -> str:
    """A value as text, with its references as `<LogicalId>`."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{plain(name)}>"
        case {"Fn::GetAtt": [name, _]}:
            return f"<{plain(name)}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text(part) for part in parts)
        case _:
            raise TypeError(f"cannot read {value!r}")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
