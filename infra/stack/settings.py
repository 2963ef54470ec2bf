"""Read and check the settings of a deployment, from the context in `cdk.json` or `-c name=value`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self
from urllib.parse import urlsplit

from layers.faces.networks import EMBEDDERS
from layers.models.conversion import Precision
from layers.models.networks import NETWORKS

STAGE_PATTERN: Final = r"[a-z][a-z0-9]{0,11}"
"""Short, so that CloudFormation never cuts the stack's name inside a bucket's."""
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
BUCKET_PATTERN: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
TABLE_PATTERN: Final = r"[A-Za-z0-9_.-]{3,255}"
KEY_PATTERN: Final = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,128}"
TOPIC_PATTERN: Final = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}"
MODEL_PATTERN: Final = r"[a-z0-9._-]{0,128}"
CONCURRENCY: Final = (2, 1000)
"""What SQS allows as the maximum concurrency of an event source."""
OWN_FACE_MODEL: Final = r"layers/faces/[a-z0-9_-]+\.json"
"""The file is where the build of the image sees it."""


class ContextError(ValueError):
    """A setting is wrong or unknown; the message names it and what it may be."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The settings of one deployment; docs/guides/deployment.md says what each is for."""

    name: str
    architecture: str
    model: str
    model_precision: str
    face_model: str | None
    ingest_memory_mb: int
    api_memory_mb: int
    max_concurrency: int
    api_rate_per_second: int
    api_burst: int
    log_retention_days: int
    removal_policy: str
    allowed_origins: tuple[str, ...]
    alarm_email: str | None
    monthly_budget: int
    jwt_issuer: str | None
    jwt_audience: str | None
    source_buckets: tuple[str, ...]
    source_keys: tuple[str, ...]
    source_topics: tuple[str, ...]
    trash_days: int
    show_location_to: str
    pdq: bool
    next_model: str | None
    existing_bucket: str | None
    existing_table: str | None

    @classmethod
    def names(cls) -> set[str]:
        """The settings as `cdk.json` calls them."""
        return {"stage"} | {field.name for field in fields(cls)} - {"name"}

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Raises ContextError where a value is missing, out of its range or of no known name."""
        _refuse_unknown(context, cls.names())
        return cls(
            name=_matching(context, "stage", STAGE_PATTERN, "1 to 12 lower-case letters and digits"),
            architecture=_one_of(context, "architecture", ("arm64", "x86_64")),
            model=_one_of(context, "model", tuple(NETWORKS)),
            model_precision=_one_of(context, "model_precision", tuple(Precision)),
            face_model=_face_model(context),
            ingest_memory_mb=_between(context, "ingest_memory_mb", *MEMORY),
            api_memory_mb=_between(context, "api_memory_mb", *MEMORY),
            max_concurrency=_between(context, "max_concurrency", *CONCURRENCY),
            api_rate_per_second=_between(context, "api_rate_per_second", 1, 10_000),
            api_burst=_between(context, "api_burst", 1, 5_000),
            log_retention_days=int(_one_of(context, "log_retention_days", tuple(str(days) for days in LOG_RETENTION))),
            removal_policy=_one_of(context, "removal_policy", ("retain", "destroy")),
            allowed_origins=_origins(context),
            alarm_email=_matching(context, "alarm_email", r"|[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address") or None,
            monthly_budget=_budget(context),
            jwt_issuer=_matching(context, "jwt_issuer", r"|https://[^\s/?#]+[^\s?#]*", "an https address") or None,
            jwt_audience=_audience(context),
            source_buckets=_names(context, "source_buckets", BUCKET_PATTERN, "bucket names"),
            source_keys=_source_keys(context),
            source_topics=_names(context, "source_topics", TOPIC_PATTERN, "ARNs of SNS topics"),
            trash_days=_between(context, "trash_days", 0, 365),
            show_location_to=_one_of(context, "show_location_to", ("admin", "everyone")),
            pdq=_one_of(context, "pdq", ("off", "on")) == "on",
            next_model=_matching(context, "next_model", MODEL_PATTERN, "a model's id") or None,
            existing_bucket=_matching(context, "existing_bucket", f"|{BUCKET_PATTERN}", "a bucket's name") or None,
            existing_table=_matching(context, "existing_table", f"|{TABLE_PATTERN}", "a table's name") or None,
        )


def _refuse_unknown(context: Mapping[str, Any], known: set[str]) -> None:
    """Names of the CDK's own context have a colon, slash or hyphen; one of letters only is a misspelt setting."""
    unknown = sorted(name for name in context if re.fullmatch(r"\w+", name) and name not in known)
    if unknown:
        raise ContextError(f"there is no setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}")


def _matching(context: Mapping[str, Any], name: str, pattern: str, meaning: str) -> str:
    value = context.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ContextError(f"{name} must be {meaning}, not {value!r}")
    return value


def _one_of(context: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = str(context.get(name))
    if value not in allowed:
        raise ContextError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _face_model(context: Mapping[str, Any]) -> str | None:
    """Return the embedder of faces, if there is one: its name, or the JSON file that describes one's own."""
    value = str(context.get("face_model"))
    if re.fullmatch(OWN_FACE_MODEL, value):
        return value
    return _one_of(context, "face_model", ("", *EMBEDDERS, OWN_FACE_MODEL)) or None


def _between(context: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = context.get(name)
    try:
        number = int(str(value))
    except ValueError:
        raise ContextError(f"{name} must be a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise ContextError(f"{name} must be from {least} to {most}, not {number}")
    return number


def _audience(context: Mapping[str, Any]) -> str | None:
    issuer = context.get("jwt_issuer")
    audience = _matching(context, "jwt_audience", r"\S*", "one word, as tokens carry it in `aud` or `client_id`")
    if bool(audience) != bool(issuer):
        raise ContextError(f"jwt_audience and jwt_issuer go together, not {audience or issuer!r} alone")
    return audience or None


def _names(context: Mapping[str, Any], name: str, pattern: str, meaning: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(value.strip() for value in str(context.get(name)).split(",") if value.strip()))
    for value in values:
        if not re.fullmatch(pattern, value):
            raise ContextError(f"{name} must be {meaning}, separated by commas, not {value!r}")
    return values


def _budget(context: Mapping[str, Any]) -> int:
    dollars = _between(context, "monthly_budget", 0, 1_000_000)
    if dollars and not context.get("alarm_email"):
        raise ContextError("monthly_budget sends mail to alarm_email, which is not set")
    return dollars


def _source_keys(context: Mapping[str, Any]) -> tuple[str, ...]:
    keys = _names(context, "source_keys", KEY_PATTERN, "ARNs of KMS keys (an alias gives no right)")
    if keys and not context.get("source_buckets"):
        raise ContextError("source_keys decrypts objects of source_buckets, which names none")
    return keys


def _origins(context: Mapping[str, Any]) -> tuple[str, ...]:
    origins = tuple(origin.strip() for origin in str(context.get("allowed_origins")).split(",") if origin.strip())
    for origin in origins:
        parts = urlsplit(origin)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
        if not secure or not parts.hostname or "*" in origin or origin != f"{parts.scheme}://{parts.netloc}":
            raise ContextError(
                f"allowed_origins must be origins like https://example.org, separated by commas, not {origin!r}"
            )
    return origins
