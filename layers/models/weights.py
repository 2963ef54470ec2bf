"""Files of trained weights, verified before anything reads them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


class WeightsUnavailable(RuntimeError):  # noqa: N818
    """The weights were not found, or are not the expected file; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file with its SHA-256 in hex."""

    path: Path
    sha256: str


def verify(path: Path, *, sha256: str | None = None, md5: str | None = None, origin: str) -> Weights:
    """Return the weights in `path` if they have these checksums.

    Args:
        origin: where the expected file is published, for the message.

    Raises:
        WeightsUnavailable: the file cannot be read, or is not the expected one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsUnavailable(f"{path} cannot be read: {error.strerror}.") from error
    if md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
        raise WeightsUnavailable(f"{path} is not the published file (MD5 {md5}). Get it from {origin}")
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        raise WeightsUnavailable(f"{path} has the SHA-256 {found}, not the pinned {sha256}. Get it from {origin}")
    return Weights(path, found)
