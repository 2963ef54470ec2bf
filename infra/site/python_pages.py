"""The reference of the Python client as a page, made from its signatures and docstrings."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

from infra.site.sources import ROOT


def write(target: Path) -> None:
    """Write `reference/python.md`."""
    sys.path.insert(0, str(ROOT / "clients" / "python" / "src"))
    path = target / "reference" / "python.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_lines()) + "\n", encoding="utf-8")


def _lines() -> Iterator[str]:
    import pictrace
    from pictrace.client import Operations
    from pictrace.operation import Operation, Pages

    yield "# The Python client, method by method\n"
    yield "[The guide](../guides/python-client.md) shows how they are used. Of `AsyncClient`, each is awaited.\n"
    yield f"## Client\n\n```python\nClient{_signature(Operations.__init__)}\n```\n"
    yield _text(Operations.__init__)
    for name, member in vars(Operations).items():
        if name.startswith("_"):
            continue
        function: Any = (
            member.describe
            if isinstance(member, Operation)
            else member.listing.describe
            if isinstance(member, Pages)
            else member.flow
        )
        yield f"## {name}\n\n```python\n{name}{_signature(function)}\n```\n"
        if isinstance(member, Operation):
            yield f"`{member.method} {member.path}`, answers `{member.answer.__name__}`.\n"
        if isinstance(member, Pages):
            yield f"Iterates over the `{member.item.__name__}` of all pages of `{member.listing.path}`.\n"
        yield _text(member)
    yield "## Errors\n\n| class | |\n|---|---|"
    for name in pictrace.__all__:
        found = getattr(pictrace, name)
        if isinstance(found, type) and issubclass(found, Exception):
            said = " ".join((inspect.getdoc(found) or "").split("\n\n")[0].split()).replace("|", "\\|")
            yield f"| `{name}` | {said} |"


def _signature(function: Any) -> str:
    """The signature, with the arguments of an unpacked TypedDict in the place of `**`."""
    hints = get_type_hints(function)
    lines = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            fields = get_type_hints(hints[parameter.name].__args__[0])
            lines += [f"{name}: {_hint(hint)} = ..." for name, hint in fields.items()]
        else:
            default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
            lines.append(f"{parameter.name}: {_hint(hints.get(parameter.name, Any))}{default}")
    return "(\n" + "".join(f"    {line},\n" for line in lines) + ")" if lines else "()"


def _hint(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) and not getattr(hint, "__args__", None) else str(hint)
    return re.sub(r"\b(?:typing|collections\.abc|pathlib|pictrace(?:\.\w+)?)\.", "", text).replace("NoneType", "None")


def _text(member: Any) -> str:
    """A docstring as Markdown: its sections as lists."""
    text = inspect.cleandoc(member.__doc__ or "")
    text = re.sub(r"^(Args|Attributes|Raises|Returns):\n", r"**\1**\n\n", text, flags=re.MULTILINE)
    return re.sub(r"^ {4}(\w+): ", r"- `\1`: ", text, flags=re.MULTILINE) + "\n"
