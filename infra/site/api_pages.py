"""The reference of the API's calls as pages, made from the OpenAPI document."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.site.sources import ROOT

DOCUMENT: Final = ROOT / "docs" / "reference" / "openapi.json"
Json = Mapping[str, Any]


def write(target: Path) -> None:
    """Write `reference/calls.md` and `reference/schemas.md`."""
    document: Json = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for name, lines in (("calls", _calls(document)), ("types", _types(document))):
        path = target / "reference" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _calls(document: Json) -> Iterator[str]:
    yield f"# Every call\n\nMade from the [OpenAPI document](openapi.json) of version {document['info']['version']}. "
    yield "[The API](api.md) explains what this list cannot; [Types](types.md) has the bodies and answers.\n"
    by_tag: dict[str, list[tuple[str, Json]]] = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            by_tag.setdefault(described["tags"][0], []).append((f"{method.upper()} {path}", described))
    for tag, calls in by_tag.items():
        yield f"## {tag[0].upper()}{tag[1:]}\n"
        for call, described in calls:
            yield from _call(call, described)


def _call(call: str, described: Json) -> Iterator[str]:
    yield f"### {described['summary']}\n\n`{call}`\n"
    if text := described.get("description"):
        yield f"{text}\n"
    if parameters := described.get("parameters"):
        yield "| parameter | in | type | |\n|---|---|---|---|"
        for one in parameters:
            name = f"`{one['name']}`" + (" (required)" if one.get("required") else "")
            yield f"| {name} | {one['in']} | {_type(one['schema'])} | {_said(one, one['schema'])} |"
        yield ""
    for media, content in described.get("requestBody", {}).get("content", {}).items():
        yield f"**Body**, `{media}`: {_type(content.get('schema', {}))}\n"
    yield "| answer | | |\n|---|---|---|"
    for status, answer in sorted(described["responses"].items()):
        kinds = [
            f"`{media}` {_type(content.get('schema', {}))}" for media, content in answer.get("content", {}).items()
        ]
        yield f"| {status} | {_cell(answer['description'])} | {'; '.join(kinds)} |"
    yield ""


def _types(document: Json) -> Iterator[str]:
    yield "# Types of bodies and answers\n"
    for name, schema in document["components"]["schemas"].items():
        yield f"## {name}\n"
        if text := schema.get("description"):
            yield f"{text}\n"
        if values := schema.get("enum"):
            yield "One of " + ", ".join(f"`{value}`" for value in values) + ".\n"
        if fields := schema.get("properties"):
            yield "| field | type | |\n|---|---|---|"
            for field, value in fields.items():
                mark = " (required)" if field in schema.get("required", []) else ""
                yield f"| `{field}`{mark} | {_type(value)} | {_said(value)} |"
            yield ""


def _type(schema: Json) -> str:
    """The type of a value, with links to the types of this page."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](types.md#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("properties"):
        return "object with " + ", ".join(f"`{name}`" for name in schema["properties"])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    return str(schema.get("type") or schema.get("const") or "any")


def _said(*described: Json) -> str:
    """The description of a value, its default and its bounds."""
    found = [text for one in described if (text := one.get("description"))][:1]
    schema = described[-1]
    if schema.get("default") not in (None, ""):
        found.append(f"default `{json.dumps(schema['default'])}`")
    bounds = {name: schema[name] for name in ("minimum", "maximum", "maxLength", "maxItems") if name in schema}
    found += [f"{name} {value}" for name, value in bounds.items()]
    return _cell("; ".join(found))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
