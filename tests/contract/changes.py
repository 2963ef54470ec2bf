"""What changed in the OpenAPI document since the last release: `python -m tests.contract.changes`.

A change is *breaking* if a program that uses the released API may fail, a *notice* if it may meet a value that it does
not know, and an *addition* otherwise. A request may be widened, an answer may be narrowed. Descriptions, titles and
examples are no changes.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from tests.contract import openapi

RELEASED: Final = Path(__file__).with_name("released")
Json = Mapping[str, Any]


class Weight(StrEnum):
    BREAKING = "breaking"
    NOTICE = "notice"
    ADDITION = "addition"


@dataclass(frozen=True, order=True)
class Change:
    weight: Weight
    where: str
    what: str


def version_of(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


def last_release() -> tuple[str, Json]:
    """The version of the last release, and its document."""
    path = max(RELEASED.glob("*.json"), key=lambda found: version_of(found.stem))
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return path.stem, document


def lowest_version(released: str, found: list[Change]) -> tuple[int, ...]:
    """The lowest version that may have these changes (Semantic Versioning; before 1.0.0 a minor version may break)."""
    major, minor, *_ = version_of(released)
    if any(change.weight is Weight.BREAKING for change in found):
        return (major + 1, 0, 0) if major else (0, minor + 1, 0)
    return version_of(released)


def changes(old: Json, new: Json) -> list[Change]:
    """Every change from one document to another, the breaking ones first, each once."""
    compared = Comparison(old, new)
    order = list(Weight)
    return sorted(set(compared.calls()), key=lambda change: (order.index(change.weight), change.where, change.what))


def _methods(document: Json) -> dict[str, Json]:
    paths = document["paths"].items()
    return {f"{method.upper()} {path}": described for path, methods in paths for method, described in methods.items()}


@dataclass(frozen=True)
class Comparison:
    """Two documents, and the pairs of named schemas of them that were compared."""

    old: Json
    new: Json
    seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def calls(self) -> Iterator[Change]:
        before, after = _methods(self.old), _methods(self.new)
        for call in before.keys() | after.keys():
            if call not in after:
                yield Change(Weight.BREAKING, call, "was removed")
            elif call not in before:
                yield Change(Weight.ADDITION, call, "is new")
            else:
                yield from self._parameters(call, before[call], after[call])
                yield from self._body(call, before[call].get("requestBody", {}), after[call].get("requestBody", {}))
                yield from self._answers(call, before[call]["responses"], after[call]["responses"])
                if after[call].get("security") and not before[call].get("security"):
                    yield Change(Weight.BREAKING, call, "asks for a key")

    def _parameters(self, call: str, old: Json, new: Json) -> Iterator[Change]:
        before, after = ({(p["in"], p["name"]): p for p in side.get("parameters", [])} for side in (old, new))
        for key in before.keys() | after.keys():
            where = f"{call} {key[0]} {key[1]}"
            was, now = before.get(key), after.get(key)
            if now is None:
                yield Change(Weight.BREAKING, where, "was removed")
                continue
            if now.get("required") and not (was and was.get("required")):
                yield Change(Weight.BREAKING, where, "is required")
            elif was is None:
                yield Change(Weight.ADDITION, where, "is new")
            if was is not None:
                yield from self._schemas(where, was["schema"], now["schema"], request=True)
                if was["schema"].get("default") != now["schema"].get("default"):
                    what = f"has the default {now['schema'].get('default')!r}, not {was['schema'].get('default')!r}"
                    yield Change(Weight.NOTICE, where, what)

    def _body(self, call: str, old: Json, new: Json) -> Iterator[Change]:
        before, after = old.get("content", {}), new.get("content", {})
        if new.get("required") and not old.get("required"):
            yield Change(Weight.BREAKING, call, "needs a body")
        for media in before.keys() | after.keys():
            where = f"{call} body {media}"
            if media not in after:
                yield Change(Weight.BREAKING, where, "was removed")
            elif media not in before:
                yield Change(Weight.ADDITION, where, "is new")
            else:
                old_schema, new_schema = before[media].get("schema", {}), after[media].get("schema", {})
                yield from self._schemas(where, old_schema, new_schema, request=True)

    def _answers(self, call: str, old: Json, new: Json) -> Iterator[Change]:
        for status in old.keys() | new.keys():
            where = f"{call} {status}"
            if status not in new:
                weight = Weight.BREAKING if status < "400" else Weight.ADDITION
                yield Change(weight, where, "was removed")
                continue
            if status not in old:
                yield Change(Weight.NOTICE, where, "is new")
                continue
            before, after = old[status].get("content", {}), new[status].get("content", {})
            for media in before.keys() | after.keys():
                if media not in after:
                    yield Change(Weight.BREAKING, f"{where} {media}", "was removed")
                elif media in before:
                    schemas = before[media].get("schema", {}), after[media].get("schema", {})
                    yield from self._schemas(f"{where} {media}", *schemas, request=False)
                    for name in sorted(_further(schemas[1]) - _further(schemas[0])):
                        yield Change(Weight.NOTICE, f"{where} {media}", f"may be a {name}")

    def _schemas(self, where: str, old: Json, new: Json, *, request: bool) -> Iterator[Change]:
        if "$ref" in old and "$ref" in new:
            where = new["$ref"].rsplit("/", 1)[-1]
            pair = (old["$ref"], new["$ref"], request)
            if pair in self.seen:
                return
            self.seen.add(pair)
        before, after = _alternatives(self.old, old), _alternatives(self.new, new)
        if before and after:
            gone, come = _uncovered(before, after), _uncovered(after, before)
            for kinds, breaks, what in ((gone, request, "is no longer"), (come, not request, "may be")):
                if kinds:
                    weight = Weight.BREAKING if breaks else Weight.ADDITION
                    yield Change(weight, where, f"{what} {' or '.join(sorted(kinds))}")
        for kind in before.keys() & after.keys():
            yield from self._values(where, before[kind], after[kind], request=request)
            yield from self._fields(where, before[kind], after[kind], request=request)
            for name in ("items", "additionalProperties"):
                was, now = before[kind].get(name), after[kind].get(name)
                if isinstance(was, Mapping) and isinstance(now, Mapping):
                    yield from self._schemas(f"{where}[]", was, now, request=request)

    def _values(self, where: str, old: Json, new: Json, *, request: bool) -> Iterator[Change]:
        before, after = (frozenset(map(str, side.get("enum", []))) for side in (old, new))
        if before and after:
            for value in before - after:
                yield Change(Weight.BREAKING if request else Weight.ADDITION, where, f"is no longer {value!r}")
            for value in after - before:
                yield Change(Weight.ADDITION if request else Weight.NOTICE, where, f"may be {value!r}")
        for name, tighter in LIMITS.items():
            was, now = old.get(name), new.get(name)
            if request and now is not None and was != now and (was is None or tighter(was, now)):
                yield Change(Weight.BREAKING, where, f"has {name} {now!r}")

    def _fields(self, where: str, old: Json, new: Json, *, request: bool) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must_before, must_after = set(old.get("required", [])), set(new.get("required", []))
        for name in before.keys() | after.keys():
            here = f"{where}.{name}"
            if name not in after:
                yield Change(Weight.BREAKING, here, "was removed")
            elif request and name in must_after - must_before:
                yield Change(Weight.BREAKING, here, "is required")
            elif not request and name in before and name in must_before - must_after:
                yield Change(Weight.BREAKING, here, "may be missing")
            elif name not in before:
                yield Change(Weight.ADDITION, here, "is new")
            if name in before and name in after:
                yield from self._schemas(here, before[name], after[name], request=request)


LIMITS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "minimum": lambda was, now: now > was,
    "exclusiveMinimum": lambda was, now: now > was,
    "minLength": lambda was, now: now > was,
    "minItems": lambda was, now: now > was,
    "maximum": lambda was, now: now < was,
    "exclusiveMaximum": lambda was, now: now < was,
    "maxLength": lambda was, now: now < was,
    "maxItems": lambda was, now: now < was,
    "pattern": lambda was, now: was != now,
}
"""The keywords that bound a value, and whether a new bound refuses what the old one allowed."""


def _further(answer: Json) -> set[str]:
    """The names of the alternatives of an answer after the first one, which only new kinds of requests meet."""
    return {one["$ref"].rsplit("/", 1)[-1] for one in answer.get("anyOf", [])[1:]}


def _alternatives(document: Json, schema: Json) -> dict[str, Json]:
    """The first schema of each type of which one applies, by this type; empty if anything is allowed."""
    found: dict[str, Json] = {}
    for one in schema.get("anyOf") or schema.get("oneOf") or [schema]:
        resolved = one
        while "$ref" in resolved:
            resolved = document["components"]["schemas"][resolved["$ref"].rsplit("/", 1)[-1]]
        if "anyOf" in resolved:
            found = _alternatives(document, resolved) | found
        elif "const" in resolved:
            found.setdefault(str(resolved.get("type", "string")), {"enum": [resolved["const"]]})
        elif "type" in resolved:
            found.setdefault(resolved["type"], resolved)
    return found


def _uncovered(some: Json, others: Json) -> set[str]:
    """The types in `some` that `others` do not allow; every integer is a number."""
    return {kind for kind in some if kind not in others and not (kind == "integer" and "number" in others)}


def main() -> int:
    version, released = last_release()
    found = changes(released, openapi.kept())
    counts = Counter(change.weight for change in found)
    print(f"since {version}:", ", ".join(f"{counts[weight]} {weight}" for weight in Weight))
    for change in found:
        print(f"{change.weight:9}  {change.where} {change.what}")
    lowest = lowest_version(version, found)
    print("the next version is at least", ".".join(map(str, lowest)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
