"""The part of the synthesised CloudFormation template that moto can deploy."""

import copy
from collections.abc import Mapping
from typing import Any, Final

Template = Mapping[str, Any]

EXCLUDED_TYPES: Final = (
    "AWS::ApiGatewayV2::",  # uvicorn serves the api function's application
    "AWS::Lambda::",  # handlers are called in this process
    "AWS::CloudWatch::",
    "AWS::Budgets::",
    "AWS::CDK::",
    "AWS::IAM::Policy",  # moto does not enforce policies, and some refer to functions
    "AWS::S3::BucketPolicy",  # moto supports neither policy
    "AWS::SQS::QueuePolicy",
)
"""Types that the local cloud replaces or does not need; everything else is deployed unchanged."""


def deployable(template: Template) -> dict[str, Any]:
    """Return a copy without the resources, outputs and references that moto does not support."""
    local = copy.deepcopy(dict(template))
    removed = {name for name, resource in local["Resources"].items() if resource["Type"].startswith(EXCLUDED_TYPES)}
    local["Resources"] = {
        name: _without(resource, removed) for name, resource in local["Resources"].items() if name not in removed
    }
    local["Outputs"] = {
        name: output for name, output in local.get("Outputs", {}).items() if not _mentions(output, removed)
    }
    _replace_bus_references(local, bus_names(local))
    for name, queue in resources(local, "AWS::SQS::Queue").items():
        if queue["Properties"].get("FifoQueue"):
            queue["Properties"].setdefault("QueueName", f"{name}.fifo")  # CloudFormation makes a name that ends so
    for section in ("Rules", "Conditions", "Parameters", "Metadata"):
        local.pop(section, None)
    return local


def resources(template: Template, kind: str) -> dict[str, Any]:
    """Return the resources of one type, by logical ID."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def function_environment(template: Template, command: str, physical: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of the function that runs `command`, with references resolved.

    Args:
        command: the function's image command or zip handler.
        physical: physical names by logical ID.

    Raises:
        LookupError: no function runs this command, or a variable refers to a resource that is not deployed.
    """
    function = resources(template, "AWS::Lambda::Function")[function_name(template, command)]
    variables = function["Properties"]["Environment"]["Variables"]
    return {name: _resolve(value, physical) for name, value in variables.items()}


def function_name(template: Template, command: str) -> str:
    """Return the logical ID of the function whose image command or zip handler is `command`.

    Raises:
        LookupError: no function runs this command.
    """
    for name, function in resources(template, "AWS::Lambda::Function").items():
        properties = function["Properties"]
        if command in (properties.get("Handler"), *properties.get("ImageConfig", {}).get("Command", [])):
            return name
    raise LookupError(f"no function of the template runs {command}")


def bus_names(template: Template) -> dict[str, str]:
    """Return the names of the event buses by logical ID."""
    return {name: bus["Properties"]["Name"] for name, bus in resources(template, "AWS::Events::EventBus").items()}


def _replace_bus_references(local: dict[str, Any], names: Mapping[str, str]) -> None:
    """Replace references to a bus with its name, because moto 5.2 resolves them to the bus object."""
    for rule in resources(local, "AWS::Events::Rule").values():
        bus = rule["Properties"].get("EventBusName")
        if isinstance(bus, dict):
            rule["Properties"]["EventBusName"] = names[bus["Ref"]]
    for output in local["Outputs"].values():
        if isinstance(output["Value"], dict) and output["Value"].get("Ref") in names:
            output["Value"] = names[output["Value"]["Ref"]]


def _resolve(value: Any, physical: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    match value:
        case {"Ref": str(name)} if name in physical:
            return physical[name]
        case _:
            raise LookupError(f"cannot resolve {value!r}")


def _without(resource: dict[str, Any], removed: set[str]) -> dict[str, Any]:
    resource["Properties"] = {
        name: value for name, value in resource.get("Properties", {}).items() if not _mentions(value, removed)
    }
    depends = resource.pop("DependsOn", [])
    depends = [name for name in ([depends] if isinstance(depends, str) else depends) if name not in removed]
    return resource | {"DependsOn": depends} if depends else resource


def _mentions(value: Any, names: set[str]) -> bool:
    if isinstance(value, Mapping):
        return any(
            (key == "Ref" and inner in names) or (key == "Fn::GetAtt" and inner[0] in names) or _mentions(inner, names)
            for key, inner in value.items()
        )
    if isinstance(value, list):
        return any(_mentions(inner, names) for inner in value)
    return False
