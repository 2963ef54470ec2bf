"""Check from their symbol versions whether the shared objects of installed packages load in the base system.

A shared object names the libraries that it needs (DT_NEEDED) and the symbol versions of each (DT_VERNEED). A library
from a package of the same folder, such as OpenBLAS, is compared with what it defines (DT_VERDEF), and one of the base
system with `base_system`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection

from infra.container import base_system


@dataclass(frozen=True, slots=True)
class SharedObject:
    """The contents of one ELF file that matter for loading it.

    Attributes:
        path: relative to the folder that was read.
        name: the name under which others require it.
        machine: `x64` or `AArch64`.
        libraries: names of the libraries that it needs.
        versions: symbol versions that it needs, as pairs of a library's name and a version.
        defined: symbol versions that it defines.
    """

    path: Path
    name: str
    machine: str
    libraries: frozenset[str]
    versions: frozenset[tuple[str, str]]
    defined: frozenset[str]


@dataclass(frozen=True, slots=True)
class MissingRequirement:
    """A library, or one of its symbol versions, that a shared object needs and will not find."""

    path: Path
    library: str
    version: str | None

    def __str__(self) -> str:
        return (
            f"{self.path} needs {self.version} of {self.library}"
            if self.version
            else f"{self.path} needs {self.library}"
        )


def read(folder: Path) -> list[SharedObject]:
    """Return every shared object below a folder."""
    found = (_read(path, folder) for path in sorted(folder.rglob("*.so*")) if path.is_file())
    return [one for one in found if one is not None]


def missing(objects: Iterable[SharedObject]) -> list[MissingRequirement]:
    """Return the requirements that neither these objects nor the base system meet."""
    held = list(objects)
    defined: dict[str, frozenset[str]] = {}
    for one in held:
        defined[one.name] = defined.get(one.name, frozenset()) | one.defined
    return [requirement for one in held for requirement in _missing(one, defined)]


def newest_required(objects: Iterable[SharedObject]) -> dict[str, str]:
    """Return the newest version that these objects need of each symbol family of the base system, by family."""
    newest: dict[str, str] = {}
    for library, version in (pair for one in objects for pair in one.versions):
        name = base_system.family(version)
        if library in base_system.LIBRARIES and name in base_system.NEWEST:
            newest[name] = max(newest.get(name, version), version, key=base_system.sort_key)
    return newest


def _missing(one: SharedObject, defined: dict[str, frozenset[str]]) -> Iterator[MissingRequirement]:
    for library in sorted(one.libraries - base_system.LIBRARIES - defined.keys()):
        yield MissingRequirement(one.path, library, None)
    for library, version in sorted(one.versions):
        if library in defined:
            found = version in defined[library]
        else:
            found = library not in base_system.LIBRARIES or base_system.provides(version)
        if not found:
            yield MissingRequirement(one.path, library, version)


def _read(path: Path, folder: Path) -> SharedObject | None:
    with path.open("rb") as file:
        try:
            elf = ELFFile(file)
        except ELFError:
            return None
        name, libraries = path.name, set()
        versions: set[tuple[str, str]] = set()
        defined: set[str] = set()
        for section in elf.iter_sections():
            match section:
                case DynamicSection():
                    for tag in section.iter_tags():
                        if tag.entry.d_tag == "DT_NEEDED":
                            libraries.add(tag.needed)
                        elif tag.entry.d_tag == "DT_SONAME":
                            name = tag.soname
                case GNUVerNeedSection():
                    for library, needed in section.iter_versions():
                        versions |= {(library.name, version.name) for version in needed}
                case GNUVerDefSection():
                    defined |= {next(names).name for _, names in section.iter_versions()}
        return SharedObject(
            path.relative_to(folder),
            name,
            elf.get_machine_arch(),
            frozenset(libraries),
            frozenset(versions),
            frozenset(defined),
        )
