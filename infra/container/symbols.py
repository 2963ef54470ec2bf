"""Whether the shared objects of installed packages can load in the base system: their versions of symbols, read.

A shared object names the libraries it needs (DT_NEEDED) and, of each, the versions of symbols (DT_VERNEED). One that
another package of the same folder brings, such as OpenBLAS, is held against what it defines (DT_VERDEF), and one of
the base system against `base_system`.
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
    """What is written in one ELF file.

    Attributes:
        path: below the folder that was read.
        name: by which others ask for it.
        machine: `x64` or `AArch64`.
        libraries: that it needs, by name.
        versions: that it needs, as pairs of a library's name and a version.
        defined: versions that it defines.
    """

    path: Path
    name: str
    machine: str
    libraries: frozenset[str]
    versions: frozenset[tuple[str, str]]
    defined: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a shared object needs and will not find: a library, or a version of its symbols."""

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
    """Every shared object below a folder."""
    found = (_read(path, folder) for path in sorted(folder.rglob("*.so*")) if path.is_file())
    return [one for one in found if one is not None]


def lacks(objects: Iterable[SharedObject]) -> list[Lack]:
    """What these need that is neither among them nor in the base system."""
    held = list(objects)
    defined: dict[str, frozenset[str]] = {}
    for one in held:
        defined[one.name] = defined.get(one.name, frozenset()) | one.defined
    return [lack for one in held for lack in _lacks(one, defined)]


def newest_needed(objects: Iterable[SharedObject]) -> dict[str, str]:
    """The newest version that these need of each family that the base system has, by the family's name."""
    newest: dict[str, str] = {}
    for library, version in (pair for one in objects for pair in one.versions):
        name = base_system.family(version)
        if library in base_system.LIBRARIES and name in base_system.NEWEST:
            newest[name] = max(newest.get(name, version), version, key=base_system.order)
    return newest


def _lacks(one: SharedObject, defined: dict[str, frozenset[str]]) -> Iterator[Lack]:
    for library in sorted(one.libraries - base_system.LIBRARIES - defined.keys()):
        yield Lack(one.path, library, None)
    for library, version in sorted(one.versions):
        if library in defined:
            there = version in defined[library]
        else:
            there = library not in base_system.LIBRARIES or base_system.has(version)
        if not there:
            yield Lack(one.path, library, version)


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
