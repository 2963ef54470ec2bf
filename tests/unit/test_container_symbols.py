"""Shared objects are checked against the libraries and symbols that exist where they are loaded."""

import sysconfig
from pathlib import Path
from typing import Final

import pytest

from infra.container import base_system, symbols
from infra.container.symbols import MissingRequirement, SharedObject

PACKAGES: Final = Path(sysconfig.get_path("platlib"))


def shared_object(
    name: str,
    *,
    libraries: tuple[str, ...] = (),
    versions: tuple[tuple[str, str], ...] = (),
    defined: tuple[str, ...] = (),
) -> SharedObject:
    needed = {*libraries, *(library for library, _ in versions)}
    return SharedObject(Path(name), name, "AArch64", frozenset(needed), frozenset(versions), frozenset(defined))


@pytest.mark.parametrize("version", ["GLIBC_2.17", "GLIBC_2.34", "GLIBCXX_3.4", "GLIBCXX_3.4.29", "CXXABI_1.3.13"])
def test_the_base_system_provides_this_version(version: str) -> None:
    assert base_system.provides(version)


@pytest.mark.parametrize(
    "version",
    ["GLIBC_2.35", "GLIBCXX_3.4.30", "CXXABI_1.3.14", "CXXABI_FLOAT128", "GLIBC_ABI_DT_RELR", "QT_5.12", "GLIBC_2.100"],
)
def test_the_base_system_lacks_this_version(version: str) -> None:
    assert not base_system.provides(version)


def test_a_symbol_newer_than_the_base_systems_is_missing() -> None:
    """ai-edge-litert's arm64 wheels from 2.1.1 to 2.3.0 need such a symbol."""
    wheel = shared_object("libLiteRt.so", versions=(("libstdc++.so.6", "GLIBCXX_3.4.30"), ("libc.so.6", "GLIBC_2.34")))
    assert symbols.missing([wheel]) == [MissingRequirement(Path("libLiteRt.so"), "libstdc++.so.6", "GLIBCXX_3.4.30")]
    assert str(symbols.missing([wheel])[0]) == "libLiteRt.so needs GLIBCXX_3.4.30 of libstdc++.so.6"
    assert symbols.newest_required([wheel]) == {"GLIBCXX": "GLIBCXX_3.4.30", "GLIBC": "GLIBC_2.34"}


def test_a_library_that_no_wheel_ships_is_missing() -> None:
    window = shared_object("cv2.so", libraries=("libGL.so.1", "libm.so.6"))
    assert [str(requirement) for requirement in symbols.missing([window])] == ["cv2.so needs libGL.so.1"]


def test_a_library_shipped_by_another_wheel_is_checked_against_its_symbols() -> None:
    fortran = shared_object("libgfortran.so.5", versions=(("libc.so.6", "GLIBC_2.17"),), defined=("GFORTRAN_8",))
    old = shared_object("old.so", versions=(("libgfortran.so.5", "GFORTRAN_8"),))
    new = shared_object("new.so", versions=(("libgfortran.so.5", "GFORTRAN_10"),))
    assert symbols.missing([fortran, old]) == []
    assert symbols.missing([fortran, old, new]) == [
        MissingRequirement(Path("new.so"), "libgfortran.so.5", "GFORTRAN_10")
    ]
    assert "GFORTRAN" not in symbols.newest_required([fortran, old])


def test_versions_are_compared_numerically() -> None:
    one = shared_object("a.so", versions=(("libstdc++.so.6", "GLIBCXX_3.4.9"), ("libstdc++.so.6", "GLIBCXX_3.4.21")))
    assert symbols.newest_required([one]) == {"GLIBCXX": "GLIBCXX_3.4.21"}


def test_installed_wheels_have_no_missing_symbols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "whole"
    for name in ("numpy", "numpy.libs"):
        for path in (PACKAGES / name).rglob("*.so*"):
            target = folder / path.relative_to(PACKAGES)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    held = symbols.read(folder)
    assert len(held) > 10
    assert symbols.missing(held) == []
    assert {"GLIBC", "GCC"} <= set(symbols.newest_required(held))
    without = [one for one in held if "numpy.libs" not in str(one.path)]
    assert {requirement.version for requirement in symbols.missing(without)} == {None}
    assert any("openblas" in requirement.library for requirement in symbols.missing(without))
    monkeypatch.setitem(base_system.NEWEST, "GLIBC", (2, 2))
    assert {requirement.library for requirement in symbols.missing(held)} >= {"libc.so.6"}


def test_files_that_are_not_shared_objects_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "linker.so").write_text("GROUP ( libm.so.6 )", encoding="utf-8")
    assert symbols.read(tmp_path) == []
