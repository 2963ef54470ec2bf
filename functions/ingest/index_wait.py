"""How long work waits for a vector index that is being built."""

from datetime import datetime, timedelta

from shared.domain.limits import CHECK_HOURS


def waiting_since(since: str | None, now: datetime) -> str | None:
    """Return since when work has waited, ISO 8601; None if it is to be given up, after `CHECK_HOURS`.

    Args:
        since: when the index was first found not to be ready; None if that is now.
    """
    begun = since or now.isoformat(timespec="seconds")
    return begun if now - datetime.fromisoformat(begun) <= timedelta(hours=CHECK_HOURS) else None
