"""When, by what and where an image was taken, as its file states it."""

import math
import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

EARLIEST_YEAR: Final = 1826
"""The year of the earliest photograph that survives; dates before it are those of clocks that were never set."""
FUTURE: Final = timedelta(days=1)
"""How far a date may lie ahead of the time in UTC: local time is ahead by up to 14 hours."""
MAX_CAMERA_LENGTH: Final = 100
_MAX_OFFSET: Final = timedelta(hours=14)
_DATE: Final = re.compile(
    r"(\d{4})[:/.-](\d{1,2})[:/.-](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_DIGITS: Final = re.compile(r"\d{1,9}", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)


class Capture(NamedTuple):
    """What a file states; None for what it does not, or not credibly.

    Attributes:
        taken_at: ISO 8601: local time, with its offset from UTC if that is known.
        camera: maker and model.
        latitude, longitude: WGS 84, in degrees; both or neither.
    """

    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    @property
    def location(self) -> tuple[float, float] | None:
        """Latitude and longitude."""
        return None if self.latitude is None or self.longitude is None else (self.latitude, self.longitude)

    @property
    def local_time(self) -> str | None:
        """The local time with microseconds and without an offset, which sorts as text."""
        if self.taken_at is None:
            return None
        return datetime.fromisoformat(self.taken_at).replace(tzinfo=None).isoformat(timespec="microseconds")


NOTHING: Final = Capture()


def parse_date(text: str, fraction: str = "", offset: str = "", *, now: datetime | None = None) -> str | None:
    """Return a date of Exif (`2026:11:28 09:30:00`) or XMP (ISO 8601) in ISO 8601; None if it cannot be true.

    A date without a time counts as its midnight.

    Args:
        fraction: digits after the decimal point of the seconds, where the text has none.
        offset: offset from UTC, where the text has none.
        now: the time after which dates are in the future.
    """
    found = _DATE.match(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, own_fraction, own_offset = found.groups(default="")
    stated = _DIGITS.match(fraction.strip())
    digits = own_fraction or (stated[0] if stated else "")
    time = (int(hour or 0), int(minute or 0), int(second or 0), int(digits[:6].ljust(6, "0")))
    try:
        taken = datetime(int(year), int(month), int(day), *time)
    except ValueError:
        return None
    if taken.year < EARLIEST_YEAR or taken > (now or datetime.now(UTC)).replace(tzinfo=None) + FUTURE:
        return None
    return taken.replace(tzinfo=_zone(own_offset or offset.strip())).isoformat()


def _zone(text: str) -> timezone | None:
    if text == "Z":
        return UTC
    found = _OFFSET.fullmatch(text)
    if found is None or int(found[3]) > 59:  # noqa: PLR2004
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset) if offset <= _MAX_OFFSET else None


def camera_name(make: str, model: str) -> str | None:
    """Return maker and model, without the maker if the model begins with it, as in `Canon PowerShot S40`."""
    make, model = _clean(make), _clean(model)
    first = make.split(" ")[0].casefold()
    name = model if first and model.casefold().startswith(first) else f"{make} {model}".strip()
    return name[:MAX_CAMERA_LENGTH].strip() or None


def _clean(text: str) -> str:
    """Return a text without control characters and semicolons; those separate values in the catalogue."""
    kept = "".join(" " if unicodedata.category(char).startswith(("C", "Z")) else char for char in text)
    return " ".join(kept.replace(";", ",").split())


def position(latitude: float, longitude: float) -> tuple[float, float] | None:
    """Return a position to 6 decimals (0.1 m); None if it is not on the globe.

    0, 0 is None too: it is what receivers without a fix write.
    """
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude == 0 and longitude == 0):  # noqa: PLR2004
        return None
    return round(latitude, 6), round(longitude, 6)
