"""What the image's base system has for shared objects to load against: Amazon Linux 2023.

Every release of it has at least this, so what needs no more loads in any of them. The sources:

- glibc 2.34 and gcc 11: https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
- gcc 11's libstdc++ ends at GLIBCXX_3.4.29 and CXXABI_1.3.13, gcc 12's at GLIBCXX_3.4.30:
  https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html
- Wheels for a system with this glibc and gcc may use these libraries and versions, says the policy `manylinux_2_34`:
  https://github.com/pypa/auditwheel/blob/main/src/auditwheel/policy/manylinux-policy.json
- Releases from 2023.7 on bring the libstdc++ of gcc 14, and Lambda took it later than others, so that what needed
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
"""Of glibc, gcc and zlib, under the names by which shared objects ask for them."""


def has(version: str) -> bool:
    """Whether a version of symbols, such as `GLIBCXX_3.4.29`, is there; one of no known family is not."""
    match = re.fullmatch(r"([A-Z]+)_(\d+(?:\.\d+)*)", version)
    return match is not None and _numbers(match[2]) <= NEWEST.get(match[1], ())


def family(version: str) -> str:
    """`GLIBCXX` of `GLIBCXX_3.4.29`."""
    return version.partition("_")[0]


def order(version: str) -> tuple[int, ...]:
    """A key that sorts the versions of one family."""
    return _numbers(".".join(re.findall(r"\d+", version.partition("_")[2])))


def _numbers(dotted: str) -> tuple[int, ...]:
    return tuple(int(number) for number in dotted.split(".") if number)
