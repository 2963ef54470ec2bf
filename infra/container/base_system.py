"""The libraries and symbol versions of the image's base system, Amazon Linux 2023.

Every release has at least these, so a shared object that needs no more loads in all of them. Sources:

- glibc 2.34 and gcc 11: https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
- gcc 11's libstdc++ ends at GLIBCXX_3.4.29 and CXXABI_1.3.13, gcc 12's at GLIBCXX_3.4.30:
  https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html
- The policy `manylinux_2_34` lists the libraries and versions that wheels for this glibc and gcc may use:
  https://github.com/pypa/auditwheel/blob/main/src/auditwheel/policy/manylinux-policy.json
- Releases from 2023.7 on have the libstdc++ of gcc 14, but Lambda adopted it later, so shared objects that need
  GLIBCXX_3.4.30 failed there: https://github.com/amazonlinux/container-images/issues/132
"""

import re
from typing import Final

NEWEST: Final = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13), "GCC": (7, 0, 0), "ZLIB": (1, 2, 9)}
"""The newest version of each family of symbols."""
LIBRARIES: Final = frozenset(
    {
        *("libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libutil.so.1"),
        *("libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"),
        *("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
    }
)
"""Libraries of glibc, gcc and zlib, by the names under which shared objects require them."""


def provides(version: str) -> bool:
    """Return whether it has a symbol version such as `GLIBCXX_3.4.29`; one of an unknown family counts as missing."""
    match = re.fullmatch(r"([A-Z]+)_(\d+(?:\.\d+)*)", version)
    return match is not None and _numbers(match[2]) <= NEWEST.get(match[1], ())


def family(version: str) -> str:
    """Return the family of a symbol version: `GLIBCXX` for `GLIBCXX_3.4.29`."""
    return version.partition("_")[0]


def sort_key(version: str) -> tuple[int, ...]:
    """Return a key that sorts the versions of one family."""
    return _numbers(".".join(re.findall(r"\d+", version.partition("_")[2])))


def _numbers(dotted: str) -> tuple[int, ...]:
    return tuple(int(number) for number in dotted.split(".") if number)
