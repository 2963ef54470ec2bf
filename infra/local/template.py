"""The synthesised CloudFormation template, as much of it as moto can deploy."""

import copy
from collections.abc import Mapping
from typing import Any, Final

Template = Mapping[str, Any]

LEFT_OUT: Final = (
    "AWS::ApiGatewayV2::",  # uvicorn serves the api function's application
    "AWS::Lambda::",  # handlers are called in this process
    "AWS::CloudWatch::",
    "AWS::Budgets::",
    "AWS::CDK::",
    "AWS::IAM::Policy",  # not enforced by moto, and some name functions
    "AWS::S3::BucketPolicy",  # moto has neither policy
    "AWS::SQS::QueuePolicy",
)
"""Types that the local cloud replaces or has no use for; everything else is deployed as it is."""


def deployable(template: Template) -> dict[str, Any]:
    """A copy without the resources, outputs and references that moto cannot have."""
    local = copy.deepcopy(dict(template))
    removed = {name for name, resource in local["Resources"].items() if resource["Type"].startswith(LEFT_OUT)}
    local["Resources"] = {
        name: _without(resource, removed) for name, resource in local["Resources"].items() if name not in removed
    }
    local["Outputs"] = {
        name: output for name, output in local.get("Outputs", {}).items() if not _mentions(output, removed)
    }
    _name_buses(local, bus_names(local))
    for section in ("Rules", "Conditions", "Parameters", "Metadata"):
        local.pop(section, None)
    return local


def resources(template: Template, kind: str) -> dict[str, Any]:
    """The resources of one type, by logical id."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def function_environment(template: Template, command: str, physical: Mapping[str, str]) -> dict[str, str]:
    """The environment that the template gives the function whose command or handler is `command`, references resolved.

    Raises:
        LookupError: no function has this command, or it refers to what is not deployed.
    """
    function = resources(template, "AWS::Lambda::Function")[function_name(template, command)]
    variables = function["Properties"]["Environment"]["Variables"]
    return {name: _resolve(value, physical) for name, value in variables.items()}


def function_name(template: Template, command: str) -> str:
    """The logical id of the function whose image command or zip handler is `command`.

    Raises:
        LookupError: no function has this command.
    """
    for name, function in resources(template, "AWS::Lambda::Function").items():
        properties = function["Properties"]
        if command in (properties.get("Handler"), *properties.get("ImageConfig", {}).get("Command", [])):
            return name
    raise LookupError(f"no function of the template runs {command}")


def bus_names(template: Template) -> dict[str, str]:
    """The event buses' names by logical id."""
    return {name: bus["Properties"]["Name"] for name, bus in resources(template, "AWS::Events::EventBus").items()}


def _name_buses(local: dict[str, Any], names: Mapping[str, str]) -> None:
    """Put a bus's name in the place of a reference to it, which moto 5.2 answers with the bus itself."""
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
