"""Shared objects are held against what they will find when they are loaded."""

import sysconfig
from pathlib import Path
from typing import Final

import pytest

from infra.container import base_system, symbols
from infra.container.symbols import MissingRequirement, SharedObject

PACKAGES: Final = Path(sysconfig.get_path("platlib"))


def made(
    name: str,
    *,
    libraries: tuple[str, ...] = (),
    versions: tuple[tuple[str, str], ...] = (),
    defined: tuple[str, ...] = (),
) -> SharedObject:
    needed = {*libraries, *(library for library, _ in versions)}
    return SharedObject(Path(name), name, "AArch64", frozenset(needed), frozenset(versions), frozenset(defined))


@pytest.mark.parametrize("version", ["GLIBC_2.17", "GLIBC_2.34", "GLIBCXX_3.4", "GLIBCXX_3.4.29", "CXXABI_1.3.13"])
def test_the_base_system_has(version: str) -> None:
    assert base_system.provides(version)


@pytest.mark.parametrize(
    "version",
    ["GLIBC_2.35", "GLIBCXX_3.4.30", "CXXABI_1.3.14", "CXXABI_FLOAT128", "GLIBC_ABI_DT_RELR", "QT_5.12", "GLIBC_2.100"],
)
def test_the_base_system_does_not_have(version: str) -> None:
    assert not base_system.provides(version)


def test_a_newer_symbol_than_the_base_system_has_is_missing() -> None:
    """ai-edge-litert's arm64 wheels from 2.1.1 to 2.3.0 need it."""
    wheel = made("libLiteRt.so", versions=(("libstdc++.so.6", "GLIBCXX_3.4.30"), ("libc.so.6", "GLIBC_2.34")))
    assert symbols.missing([wheel]) == [MissingRequirement(Path("libLiteRt.so"), "libstdc++.so.6", "GLIBCXX_3.4.30")]
    assert str(symbols.missing([wheel])[0]) == "libLiteRt.so needs GLIBCXX_3.4.30 of libstdc++.so.6"
    assert symbols.newest_required([wheel]) == {"GLIBCXX": "GLIBCXX_3.4.30", "GLIBC": "GLIBC_2.34"}


def test_a_library_that_no_package_provides_is_missing() -> None:
    window = made("cv2.so", libraries=("libGL.so.1", "libm.so.6"))
    assert [str(requirement) for requirement in symbols.missing([window])] == ["cv2.so needs libGL.so.1"]


def test_a_library_that_another_wheel_brings_is_held_against_what_it_defines() -> None:
    fortran = made("libgfortran.so.5", versions=(("libc.so.6", "GLIBC_2.17"),), defined=("GFORTRAN_8",))
    old = made("old.so", versions=(("libgfortran.so.5", "GFORTRAN_8"),))
    new = made("new.so", versions=(("libgfortran.so.5", "GFORTRAN_10"),))
    assert symbols.missing([fortran, old]) == []
    assert symbols.missing([fortran, old, new]) == [
        MissingRequirement(Path("new.so"), "libgfortran.so.5", "GFORTRAN_10")
    ]
    assert "GFORTRAN" not in symbols.newest_required([fortran, old])


def test_the_newest_version_is_the_largest_number() -> None:
    one = made("a.so", versions=(("libstdc++.so.6", "GLIBCXX_3.4.9"), ("libstdc++.so.6", "GLIBCXX_3.4.21")))
    assert symbols.newest_required([one]) == {"GLIBCXX": "GLIBCXX_3.4.21"}


def test_installed_wheels_are_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_is_no_shared_object_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "linker.so").write_text("GROUP ( libm.so.6 )", encoding="utf-8")
    assert symbols.read(tmp_path) == []
