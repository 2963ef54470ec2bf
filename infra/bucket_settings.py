"""A bucket's settings as S3's API has them, from the properties that a template has."""

from collections.abc import Mapping, Sequence
from typing import Any

Properties = Mapping[str, Any]


def notifications(bucket: Properties) -> dict[str, Any]:
    """`NotificationConfiguration` of PutBucketNotificationConfiguration."""
    wanted = bucket.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
    return {"QueueConfigurations": [_queue(entry) for entry in wanted]}


def _queue(entry: Properties) -> dict[str, Any]:
    rules = entry.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    return {"QueueArn": entry["Queue"], "Events": [entry["Event"]]} | (
        {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    )


def cors(bucket: Properties) -> dict[str, Any]:
    """`CORSConfiguration` of PutBucketCors."""
    return {"CORSRules": [_renamed(rule, MaxAge="MaxAgeSeconds") for rule in bucket["CorsConfiguration"]["CorsRules"]]}


def lifecycle(bucket: Properties) -> dict[str, Any]:
    """`LifecycleConfiguration` of PutBucketLifecycleConfiguration."""
    return {"Rules": [_rule(rule) for rule in bucket["LifecycleConfiguration"]["Rules"]]}


def _rule(rule: Properties) -> dict[str, Any]:
    kept = _renamed(rule, Id="ID")
    prefix, tags = kept.pop("Prefix", ""), kept.pop("TagFilters", [])
    if days := kept.pop("ExpirationInDays", None):
        kept["Expiration"] = {"Days": days}
    return kept | {"Filter": _filter(prefix, tags)}


def _filter(prefix: str, tags: Sequence[Properties]) -> dict[str, Any]:
    return {"And": {"Prefix": prefix, "Tags": list(tags)}} if tags else {"Prefix": prefix}


def _renamed(properties: Properties, **names: str) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in properties.items()}
