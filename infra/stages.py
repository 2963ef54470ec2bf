"""What a deployer chooses, from `cdk.json` context or `-c name=value`, checked before anything is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

MEMORY: Final = (512, 10_240)
LOG_RETENTION: Final = {
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    90: "THREE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    3653: "TEN_YEARS",
}
"""Days, with the CDK's names for them."""
CONCURRENCY: Final = (2, 1000)
"""What SQS allows as the maximum concurrency of an event source."""


class ContextError(ValueError):
    """A context value is wrong; the message names it and what it may be."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The settings of one deployment."""

    name: str
    architecture: str
    ingest_memory_mb: int
    api_memory_mb: int
    max_concurrency: int
    api_rate_per_second: int
    api_burst: int
    log_retention_days: int
    removal_policy: str
    allowed_origins: tuple[str, ...]
    alarm_email: str | None

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Raises ContextError where a value is missing or out of its range."""
        return cls(
            name=_name(context.get("stage", "prod")),
            architecture=_one_of(context, "architecture", ("arm64", "x86_64")),
            ingest_memory_mb=_between(context, "ingest_memory_mb", *MEMORY),
            api_memory_mb=_between(context, "api_memory_mb", *MEMORY),
            max_concurrency=_between(context, "max_concurrency", *CONCURRENCY),
            api_rate_per_second=_between(context, "api_rate_per_second", 1, 10_000),
            api_burst=_between(context, "api_burst", 1, 5_000),
            log_retention_days=int(_one_of(context, "log_retention_days", tuple(str(days) for days in LOG_RETENTION))),
            removal_policy=_one_of(context, "removal_policy", ("retain", "destroy")),
            allowed_origins=_origins(context.get("allowed_origins", "")),
            alarm_email=context.get("alarm_email") or None,
        )


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.isalnum() or not value.islower() or len(value) > 20:  # noqa: PLR2004
        raise ContextError(f"stage must be 1 to 20 lower-case letters and digits, not {value!r}")
    return value


def _one_of(context: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = str(context.get(name))
    if value not in allowed:
        raise ContextError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _between(context: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = context.get(name)
    try:
        number = int(str(value))
    except ValueError:
        raise ContextError(f"{name} must be a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise ContextError(f"{name} must be from {least} to {most}, not {number}")
    return number


def _origins(value: Any) -> tuple[str, ...]:
    origins = tuple(origin.strip() for origin in str(value).split(",") if origin.strip())
    for origin in origins:
        if not origin.startswith(("https://", "http://localhost")):
            raise ContextError(f"allowed_origins must begin with https:// (or http://localhost), not {origin!r}")
    return origins
