"""Every envelope that a message of the queue may come in, in the shapes that AWS documents."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.aws.messages import UnknownMessage, duplicate_check, parse
from shared.domain.events import Created, DuplicateCheck, Ignored, IngestEvent, Reindex, Removed, UrlSubmitted
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_METADATA, MAX_METADATA_LENGTH

SEQUENCER = "0055AED6DCD90281E5"
KEYS = ["uploads/default/a", "a b.jpg", "a+b.jpg", "a%2Bb.jpg", "é/日本.jpg", "..//x", "😀", "%", "a\nb", "a\u202eb"]
TEXT = st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"]))


def taken(body: Any) -> list[IngestEvent]:
    return parse(body if isinstance(body, str) else json.dumps(body))


def notification(key: str, event: str = "ObjectCreated:Post", **extra: Any) -> dict[str, Any]:
    """One record of https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": "images", "arn": "arn:aws:s3:::images"},
            "object": {"key": quote_plus(key, safe="/*"), "size": 10, "eTag": "e", "sequencer": SEQUENCER, **extra},
        },
    }


def bridged(key: str, detail_type: str = "Object Created", version: str | None = None, **more: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    return {
        "version": "0",
        "id": "2ee9cc15-d022-99ea-1fb8-1b1bac4850f9",
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:s3:::images"],
        "detail": {
            "version": "0",
            "bucket": {"name": "images"},
            "object": {
                "key": key,
                "size": 5,
                "etag": "e",
                "sequencer": SEQUENCER,
                **({"version-id": version} if version else {}),
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
            **more,
        },
    }


def submitted(detail: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "1",
        "detail-type": "Image Submitted",
        "source": "shop",
        "account": "111122223333",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
        **more,
    }


def wrapped(text: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html"""
    return {
        "Type": "Notification",
        "MessageId": "dc1e94d9-56c5-5e96-808d-cc7f68faa162",
        "TopicArn": "arn:aws:sns:eu-west-1:111122223333:images",
        "Subject": "Amazon S3 Notification",
        "Message": text,
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": "…",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    }


CAME = Created(ObjectRef("images", "a b"), SEQUENCER)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_decoded_where_it_is_encoded_and_only_there(key: str) -> None:
    created = [Created(ObjectRef("images", key), SEQUENCER)]
    assert taken({"Records": [notification(key)]}) == created
    assert taken(bridged(key)) == created
    assert taken(wrapped(json.dumps({"Records": [notification(key)]}))) == created
    by_name = [Created(ObjectRef("images", key))]
    assert taken({"bucket": "images", "key": key}) == by_name
    assert taken(submitted({"bucket": "images", "key": key})) == by_name


@given(TEXT)
def test_any_key_survives_either_way(key: str) -> None:
    assert taken({"Records": [notification(key)]}) == taken(bridged(key)) == [came(key)]


def came(key: str) -> Created:
    return Created(ObjectRef("images", key), SEQUENCER)


@pytest.mark.parametrize("name", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
def test_every_way_to_create_an_object_is_a_creation(name: str) -> None:
    assert taken({"Records": [notification("a b", f"ObjectCreated:{name}")]}) == [CAME]


def test_several_records_and_their_versions() -> None:
    body = {"Records": [notification("a"), notification("b", versionId="v2"), notification("c", "ObjectTagging:Put")]}
    first, second, third = taken(body)
    assert first == Created(ObjectRef("images", "a"), SEQUENCER)
    assert second == Created(ObjectRef("images", "b", "v2"), SEQUENCER)
    assert taken({"Records": [notification("a", versionId="")]}) == [first], "an empty version is none"
    assert isinstance(third, Ignored)


@pytest.mark.parametrize(
    ("event", "version", "one"),
    [("Delete", None, False), ("Delete", "v1", True), ("DeleteMarkerCreated", "v2", False)],
)
@pytest.mark.parametrize("who", ["ObjectRemoved", "LifecycleExpiration", "s3:ObjectRemoved"])
def test_removals_in_notifications(event: str, version: str | None, one: bool, who: str) -> None:
    """By a caller or by a lifecycle rule; some stores that speak S3 write the prefix of the setting before the name."""
    extra = {"versionId": version} if version else {}
    [found] = taken({"Records": [notification("a", f"{who}:{event}", **extra)]})
    assert found == Removed(ObjectRef("images", "a", version), SEQUENCER, one_version=one)


@pytest.mark.parametrize(
    ("deletion", "version", "one"),
    [
        ("Permanently Deleted", None, False),
        ("Permanently Deleted", "v1", True),
        ("Delete Marker Created", "v2", False),
    ],
)
def test_removals_over_the_bus(deletion: str, version: str | None, one: bool) -> None:
    body = bridged("a", "Object Deleted", version, **{"deletion-type": deletion, "reason": "DeleteObject"})
    assert taken(body) == [Removed(ObjectRef("images", "a", version), SEQUENCER, one_version=one)]


def test_what_asks_for_nothing_is_ignored() -> None:
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "images"}
    for body in (
        test_event,
        wrapped(json.dumps(test_event)),
        {"Records": [notification("folder/", size=0)]},
        {"Records": [notification("a", "ObjectRestore:Completed")]},
        bridged("a", "Object Tags Added"),
    ):
        [found] = taken(body)
        assert isinstance(found, Ignored), body


def test_an_object_whose_key_ends_with_a_slash_is_taken_when_it_has_bytes() -> None:
    assert taken({"Records": [notification("folder/", size=3)]}) == [came("folder/")]


def test_topics_wrap_any_of_it_and_may_wrap_twice() -> None:
    once = wrapped(json.dumps({"Records": [notification("a b")]}))
    assert taken(once) == taken(wrapped(json.dumps(once))) == [CAME]
    assert taken(wrapped(json.dumps(bridged("a b")))) == [CAME]
    assert taken(wrapped('{"url": "https://example.com/a.png"}')) == [UrlSubmitted("https://example.com/a.png")]


@pytest.mark.parametrize("sequencer", [7, None, "\ud800", ["00"]])
def test_a_sequencer_that_is_none_orders_nothing(sequencer: Any) -> None:
    unordered = [Created(ObjectRef("images", "a"), None)]
    assert taken({"Records": [notification("a", sequencer=sequencer)]}) == unordered
    body = bridged("a")
    body["detail"]["object"]["sequencer"] = sequencer
    assert taken(body) == unordered


def test_envelopes_are_not_opened_for_ever() -> None:
    body: Any = {"Records": [notification("a")]}
    for _ in range(10):
        body = wrapped(json.dumps(body))
    with pytest.raises(UnknownMessage):
        taken(body)


def test_an_image_is_described_again() -> None:
    body = {"image_id": "a" * 64, "collection": "c", "model": "m-2"}
    assert parse(json.dumps(body)) == [Reindex(ImageKey("c", "a" * 64), "m-2")]
    for wrong in ({"image_id": "a"}, {"collection": "C"}, {"model": ""}, {"more": 1}):
        with pytest.raises(UnknownMessage):
            parse(json.dumps(body | wrong))


CHECK = DuplicateCheck(
    ImageKey("c", "a" * 64), ObjectRef("pictures", "é +.png", "v1"), "2026-01-01T00:00:00+00:00", {"shop": "7"}
)


@pytest.mark.parametrize("check", [CHECK, replace(CHECK, object=ObjectRef("pictures", "k"), metadata={})])
def test_a_check_for_near_duplicates_comes_back_as_it_was_sent(check: DuplicateCheck) -> None:
    assert parse(duplicate_check(check)) == [check]


@pytest.mark.parametrize(
    "wrong", [{"image_id": "a"}, {"collection": "C"}, {"since": "soon"}, {"since": "2026-01-01T00:00:00"}, {"more": 1}]
)
def test_a_check_that_nobody_sent_is_refused(wrong: dict[str, Any]) -> None:
    body = json.loads(duplicate_check(CHECK))
    with pytest.raises(UnknownMessage):
        parse(json.dumps({"duplicate_check": body["duplicate_check"] | wrong}))


def test_a_submission_says_what_it_is_about() -> None:
    more = {"collection": "cats", "metadata": {"shop": "7"}}
    by_name = [Created(ObjectRef("images", "a"), None, "cats", {"shop": "7"})]
    assert taken(submitted({"bucket": "images", "key": "a", **more})) == by_name
    assert taken({"bucket": "images", "key": "a", **more}) == by_name
    address = "https://example.com/a.png"
    assert taken(submitted({"url": address, **more})) == [UrlSubmitted(address, "cats", {"shop": "7"})]


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({}, "give either bucket and key, or url"),
        ({"bucket": "images"}, "give either bucket and key, or url"),
        ({"bucket": "images", "key": "a", "url": "https://example.com"}, "give either bucket and key, or url"),
        ({"bucket": "b", "key": "a"}, "bucket"),
        ({"bucket": "images", "key": "é" * 1025}, "key"),
        ({"bucket": "images", "key": "a", "collection": "Not One"}, "collection"),
        ({"bucket": "images", "key": "a", "album": "cats"}, "album"),
        ({"bucket": "images", "key": 7}, "key"),
        ({"bucket": "images", "key": "a", "metadata": {"a": {"b": "c"}}}, "metadata"),
        ({"bucket": "images", "key": "a", "metadata": {"a": "b" * (MAX_METADATA_LENGTH + 1)}}, "metadata"),
        (
            {"bucket": "images", "key": "a", "metadata": {str(n): "" for n in range(MAX_METADATA + 1)}},
            "metadata",
        ),
    ],
)
def test_a_submission_that_is_wrong_is_refused_by_name(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnknownMessage, match=reason):
        taken(submitted(detail))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        "7",
        "{}",
        "[" * 100_000,
        '{"Records": 3}',
        '{"Records": []}',
        '{"Records": [{}]}',
        '{"Records": [7]}',
        '{"detail-type": "Image Submitted", "detail": null}',
        '{"Type": "Notification", "TopicArn": "t", "Message": "no json"}',
        json.dumps(submitted({}, **{"detail-type": "Order Placed"})),
        json.dumps({"Records": [notification("a")]}).replace('"key": "a"', '"key": "%FF"'),
        json.dumps({"Records": [notification("a")]}).replace('"key": "a"', '"key": ""'),
        json.dumps(bridged("a")).replace('"key": "a"', '"key": 7'),
        json.dumps(bridged("a\udc00")),
        json.dumps({"Records": [notification("a")]}).replace('"key": "a"', '"key": "\\ud800"'),
        json.dumps({"Records": [notification("a", versionId=7)]}),
        json.dumps(bridged("a", version="\ud800")),
    ],
)
def test_anything_else_is_refused(body: str) -> None:
    with pytest.raises(UnknownMessage):
        parse(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | TEXT,
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "Records",
                        "detail",
                        "detail-type",
                        "source",
                        "Type",
                        "Message",
                        "TopicArn",
                        "s3",
                        "object",
                        "key",
                        "bucket",
                        "url",
                        "eventName",
                        "name",
                        "metadata",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_no_body_does_more_than_be_refused(body: Any) -> None:
    with suppress(UnknownMessage):
        assert isinstance(parse(json.dumps(body)), list)
