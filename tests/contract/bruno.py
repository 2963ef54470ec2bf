"""A Bruno collection of every call, made from the OpenAPI document: `python -m tests.contract.bruno` writes it.

The order lets the calls follow each other: what is deleted is deleted last. Values come from `VALUES`, else from the
document's examples, and so does what a call may answer. Redirections are not followed: Bruno would send the key along.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from functions.api.schemas.people import EXAMPLE_FACE, EXAMPLE_PERSON
from tests.contract import openapi

FOLDER: Final = Path(__file__).parents[2] / "clients" / "bruno"
Json = Mapping[str, Any]

LAST: Final = (
    "GET /v1/shared/{token}",
    "GET /v1/shared/{token}/images",
    "GET /v1/shared/{token}/images/{image_id}/content",
    "GET /v1/shared/{token}/images/{image_id}/thumbnail",
    "DELETE /v1/albums/{album_id}/shares/{share_id}",
    "DELETE /v1/albums/{album_id}",
    "GET /v1/trash/albums",
    "POST /v1/trash/albums/{album_id}/restore",
    "GET /v1/duplicates/check",
    "DELETE /v1/images/{image_id}",
    "GET /v1/trash",
    "POST /v1/trash/{image_id}/restore",
    "DELETE /v1/trash/{image_id}",
    "DELETE /v1/trash",
    "DELETE /v1/collections/{collection}",
)
MAY_FAIL: Final = {
    "DELETE /v1/collections/{collection}": "it still holds images",
    "DELETE /v1/trash/{image_id}": "the image was restored",
    "GET /v1/duplicates/{image_id}": "the image may be alone",
    "PUT /v1/duplicates/{image_id}/kept": "the image may be alone",
    "POST /v1/images": "the address may be out of reach",
    "POST /upload_from_url/": "the address may be out of reach",
    "PATCH /v1/collections/{collection}": "the deployment may have no networks for faces",
    "PATCH /v1/people": "nobody may be in the collection",
    "POST /v1/people/records": "the collection may not have faces on",
    **dict.fromkeys(
        (
            *(f"GET /v1/people/{{person_id}}{rest}" for rest in ("", "/faces", "/suggestions")),
            "PATCH /v1/people/{person_id}",
            *(f"POST /v1/people/{{person_id}}/{change}" for change in ("merge", "unmerge", "apart")),
            *(f"{method} /v1/faces/{{face_id}}/person" for method in ("PUT", "DELETE")),
        ),
        "nobody may be in the collection",
    ),
}
"""The calls that may be refused where they stand, and why."""

VALUES: Final[Mapping[str, Any]] = {
    "collection": "{{collection}}",
    "image_id": "{{image_id}}",
    "upload_id": "{{upload_id}}",
    "images": ["{{image_id}}", "{{other_id}}"],
    "decision": "both-kept",
    "a": "{{image_id}}",
    "b": "{{other_id}}",
    "url": "https://example.com/cat.jpg",
    "image_url": "https://example.com/cat.jpg",
}
BODY_VALUES: Final[Mapping[str, Any]] = {
    **VALUES,
    "add": ["{{image_id}}"],
    "title": "Cats",
    "faces": True,
    "people": ["{{person_id}}"],
    "persons": [],
    "hidden": False,
}
"""The same for the fields of a body."""
VARIABLES: Final = {
    "url": "http://localhost:8000",
    "collection": "default",
    "image_id": "",
    "other_id": "",
    "person_id": EXAMPLE_PERSON,
    "face_id": EXAMPLE_FACE,
}
"""Those of the environment `local`; ids are given with `--env-var`, or come from a listing."""

KEEP: Final[Mapping[str, list[str]]] = {
    "POST /v1/uploads": ["upload_id: res.body.upload_id"],
    "GET /v1/images": ["image_id: res.body.images[0].image_id"],
    "POST /v1/albums": ["album_id: res.body.album_id"],
    "POST /v1/albums/{album_id}/shares": ["share_id: res.body.share_id", "token: res.body.token"],
}
"""The variables that an answer sets for the calls after it."""


def files() -> dict[str, str]:
    """The text of each file of the collection, by its path."""
    manifest = {"version": "1", "name": "PicTrace", "type": "collection", "ignore": ["node_modules", ".git"]}
    found = {
        "bruno.json": json.dumps(manifest, indent=2) + "\n",
        "collection.bru": "auth {\n  mode: bearer\n}\n\nauth:bearer {\n  token: {{key}}\n}\n",
        "environments/local.bru": _block(
            "vars", [f"{name}: {value}" for name, value in {**VARIABLES, "key": ""}.items()]
        ),
    }
    for number, (call, described) in enumerate(_calls(), start=1):
        slug = described["summary"].lower().replace("'", "").replace(",", "").replace(" ", "-")
        found[f"{number:02}-{slug}.bru"] = _request(number, call, described)
    return found


def _calls() -> Iterator[tuple[str, Json]]:
    calls = {
        f"{method.upper()} {path}": described
        for path, methods in openapi.kept()["paths"].items()
        for method, described in methods.items()
    }
    yield from ((call, described) for call, described in calls.items() if call not in LAST)
    yield from ((call, calls[call]) for call in LAST)


def _request(number: int, call: str, described: Json) -> str:
    method, path = call.split(" ", 1)
    parameters = [p for p in described.get("parameters", []) if p["in"] == "query"]
    query = [(p["name"], p["name"] in VALUES or p.get("required", False), _value(p)) for p in parameters]
    address = "{{url}}" + path.replace("{", "{{").replace("}", "}}")
    sent = "&".join(f"{name}={value}" for name, enabled, value in query if enabled)
    kind, body = _body(described.get("requestBody", {}).get("content", {}))
    lines = [f"url: {address}{'?' + sent if sent else ''}", f"body: {kind}", "auth: inherit"]
    blocks = [
        _block("meta", [f"name: {described['summary']}", "type: http", f"seq: {number}"]),
        _block(method.lower(), lines),
        _block("params:query", [f"{'' if enabled else '~'}{name}: {value}" for name, enabled, value in query]),
        body,
        _block("vars:post-response", KEEP.get(call, [])),
        _block("settings", ["followRedirects: false"] if "307" in described["responses"] else []),
        _block("assert", [f"res.status: in {','.join(_statuses(call, described['responses']))}"]),
    ]
    return "\n".join(block for block in blocks if block)


def _statuses(call: str, responses: Json) -> list[str]:
    """What the call may answer."""
    wanted = [status for status in responses if status < "400" or (call in MAY_FAIL and status < "500")]
    return sorted(wanted)


def _value(parameter: Json) -> str:
    schema = parameter["schema"]
    examples = schema.get("examples") or [schema.get("default", "")]
    value = VALUES.get(parameter["name"], examples[0])
    value = value[0] if isinstance(value, list) else value
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _body(content: Json) -> tuple[str, str]:
    """The kind of the body, and its block."""
    if "application/json" in content:
        text = json.dumps(_example(content["application/json"]["schema"]), indent=2)
        return "json", _block("body:json", text.splitlines())
    for media, kind in (
        ("multipart/form-data", "multipart-form"),
        ("application/x-www-form-urlencoded", "form-urlencoded"),
    ):
        if media in content:
            fields = _resolved(content[media]["schema"])["properties"]
            values = [f"{name}: {VALUES.get(name, '@file(sample.png)')}" for name in fields]
            camel = {"multipart-form": "multipartForm", "form-urlencoded": "formUrlEncoded"}[kind]
            return camel, _block(f"body:{kind}", values)
    return "none", ""


def _example(schema: Json) -> Any:
    """A value of a body: of its required fields, or of its first one."""
    fields = _resolved(schema)["properties"]
    wanted = _resolved(schema).get("required") or list(fields)[:1]
    wanted = [*wanted, *(["collection"] if "collection" in fields and "collection" not in wanted else [])]
    return {name: BODY_VALUES.get(name, (fields[name].get("examples") or [None])[0]) for name in wanted}


def _resolved(schema: Json) -> Json:
    schemas: Json = openapi.kept()["components"]["schemas"]
    found: Json = schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    return found


def _block(name: str, lines: list[str]) -> str:
    return f"{name} {{\n{''.join(f'  {line}' + chr(10) for line in lines)}}}\n" if lines else ""


if __name__ == "__main__":
    for old in FOLDER.rglob("*.bru"):
        old.unlink()
    for name, text in files().items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
