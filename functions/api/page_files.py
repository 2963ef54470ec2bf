"""The files of the page, with its modules linked into one script.

Each file that a browser asks for is a call of the API function. A new AWS account runs ten functions at a time, and a
stage lets 40 calls through at once, while a page of forty modules asks for all of them together, and never again for
one that was refused. So a view takes one script, and browsers keep what has a name of its own content.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).with_name("web")
PAGES: Final = ("index.html", "shared.html")
SCRIPTS: Final = ("app.js", "shared.js")
"""Modules that a page starts with."""

_IMPORT: Final = re.compile(
    r'^import (?:\* as (?P<whole>\w+)|\{(?P<names>[^}]*)\}) from "\./(?P<file>\w+\.js)";\n', re.M
)
_EXPORT: Final = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.M)
_UNKNOWN: Final = re.compile(r"^(?:import\b(?!\()|export\b).*", re.M)
_VERSIONED: Final = re.compile(r"/static/((\w+)\.(css|js|svg))(?=\")")


class PageFile(NamedTuple):
    """A file as it is served; `is_versioned` says whether its name changes with its content."""

    data: bytes
    tag: str
    is_versioned: bool = False


def link(entry: str, folder: Path = FOLDER) -> str:
    """Return one module script that does what a module and all that it imports do.

    Each module becomes an async function that returns its exports, and is called once, after those that it imports.

    Raises:
        ValueError: modules import each other in a circle, or in a form that is not understood.
    """
    return "".join(_linked(entry, folder, set(), ()))


def _linked(name: str, folder: Path, done: set[str], path: tuple[str, ...]) -> Iterator[str]:
    if name in path:
        raise ValueError(f"modules import each other: {' -> '.join((*path, name))}")
    if name in done:
        return
    source = (folder / name).read_text(encoding="utf-8")
    for found in _IMPORT.finditer(source):
        yield from _linked(found["file"], folder, done, (*path, name))
    done.add(name)
    exports = _EXPORT.findall(source)
    body = _EXPORT.sub("", _IMPORT.sub(_binding, source))
    if unknown := _UNKNOWN.search(body):
        raise ValueError(f"{name} has a form that cannot be linked: {unknown[0]}")
    yield f"// {name}\nconst {_variable(name)} = await (async () => {{\n{body}"
    yield f"return {{ {', '.join(exports)} }};\n}})();\n"


def _binding(found: re.Match[str]) -> str:
    """Return what takes the place of an import, with as many lines."""
    names = found["whole"] or "{" + found["names"].replace(" as ", ": ") + "}"
    return f"const {names} = {_variable(found['file'])};\n"


def _variable(name: str) -> str:
    return f"${name.removesuffix('.js')}"


@cache
def page_files() -> Mapping[str, PageFile]:
    """Return all files by their names below `/static`, and the pages themselves."""
    contents = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
    contents |= {name: link(name).encode() for name in SCRIPTS}
    files = {name: _file(data) for name, data in contents.items()}

    def versioned(found: re.Match[str]) -> str:
        name = f"{found[2]}.{files[found[1]].tag}.{found[3]}"
        files[name] = files[found[1]]._replace(is_versioned=True)
        return f"/static/{name}"

    for page in PAGES:
        files[page] = _file(_VERSIONED.sub(versioned, contents[page].decode()).encode())
    return files


def _file(data: bytes) -> PageFile:
    return PageFile(data, hashlib.sha256(data).hexdigest()[:20])
