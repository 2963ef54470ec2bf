"""Messages of the queue are parsed in every envelope, in the formats that AWS documents."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.aws.ingest_messages import IngestMessages
from shared.aws.messages import UnknownMessage, parse
from shared.aws.own_messages import duplicate_check, duplicate_scan, purge_trash, trash_change
from shared.domain.events import (
    Created,
    DuplicateCheck,
    DuplicateScanStep,
    Ignored,
    IngestEvent,
    PurgeTrash,
    Reindex,
    Removed,
    TrashChanged,
    UrlSubmitted,
)
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_METADATA, MAX_METADATA_LENGTH

SEQUENCER = "0055AED6DCD90281E5"
KEYS = ["uploads/default/a", "a b.jpg", "a+b.jpg", "a%2Bb.jpg", "é/日本.jpg", "..//x", "😀", "%", "a\nb", "a\u202eb"]
TEXT = st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"]))


def parsed(body: Any) -> list[IngestEvent]:
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


def eventbridge_event(
    key: str, detail_type: str = "Object Created", version: str | None = None, **more: Any
) -> dict[str, Any]:
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


def submission(detail: dict[str, Any], **more: Any) -> dict[str, Any]:
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


def sns_envelope(text: str) -> dict[str, Any]:
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


CREATED = Created(ObjectRef("images", "a b"), SEQUENCER)


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_decoded_only_where_they_are_encoded(key: str) -> None:
    created = [Created(ObjectRef("images", key), SEQUENCER)]
    assert parsed({"Records": [notification(key)]}) == created
    assert parsed(eventbridge_event(key)) == created
    assert parsed(sns_envelope(json.dumps({"Records": [notification(key)]}))) == created
    by_name = [Created(ObjectRef("images", key))]
    assert parsed({"bucket": "images", "key": key}) == by_name
    assert parsed(submission({"bucket": "images", "key": key})) == by_name


@given(TEXT)
def test_any_key_survives_both_encodings(key: str) -> None:
    assert parsed({"Records": [notification(key)]}) == parsed(eventbridge_event(key)) == [created_event(key)]


def created_event(key: str) -> Created:
    return Created(ObjectRef("images", key), SEQUENCER)


@pytest.mark.parametrize("name", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
def test_every_kind_of_object_creation_is_a_created_event(name: str) -> None:
    assert parsed({"Records": [notification("a b", f"ObjectCreated:{name}")]}) == [CREATED]


def test_a_notification_may_have_several_records_with_versions() -> None:
    body = {"Records": [notification("a"), notification("b", versionId="v2"), notification("c", "ObjectTagging:Put")]}
    first, second, third = parsed(body)
    assert first == Created(ObjectRef("images", "a"), SEQUENCER)
    assert second == Created(ObjectRef("images", "b", "v2"), SEQUENCER)
    assert parsed({"Records": [notification("a", versionId="")]}) == [first], "an empty version id means no version"
    assert isinstance(third, Ignored)


@pytest.mark.parametrize(
    ("event", "version", "one"),
    [("Delete", None, False), ("Delete", "v1", True), ("DeleteMarkerCreated", "v2", False)],
)
@pytest.mark.parametrize("who", ["ObjectRemoved", "LifecycleExpiration", "s3:ObjectRemoved"])
def test_deletions_in_notifications_are_removed_events(event: str, version: str | None, one: bool, who: str) -> None:
    """By a caller or a lifecycle rule; some S3-compatible stores prefix the event name with `s3:`."""
    extra = {"versionId": version} if version else {}
    [found] = parsed({"Records": [notification("a", f"{who}:{event}", **extra)]})
    assert found == Removed(ObjectRef("images", "a", version), SEQUENCER, one_version=one)


@pytest.mark.parametrize(
    ("deletion", "version", "one"),
    [
        ("Permanently Deleted", None, False),
        ("Permanently Deleted", "v1", True),
        ("Delete Marker Created", "v2", False),
    ],
)
def test_deletions_over_eventbridge_are_removed_events(deletion: str, version: str | None, one: bool) -> None:
    body = eventbridge_event("a", "Object Deleted", version, **{"deletion-type": deletion, "reason": "DeleteObject"})
    assert parsed(body) == [Removed(ObjectRef("images", "a", version), SEQUENCER, one_version=one)]


def test_events_without_effect_are_ignored() -> None:
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "images"}
    for body in (
        test_event,
        sns_envelope(json.dumps(test_event)),
        {"Records": [notification("folder/", size=0)]},
        {"Records": [notification("a", "ObjectRestore:Completed")]},
        eventbridge_event("a", "Object Tags Added"),
    ):
        [found] = parsed(body)
        assert isinstance(found, Ignored), body


def test_an_object_whose_key_ends_with_a_slash_is_indexed_if_it_has_bytes() -> None:
    assert parsed({"Records": [notification("folder/", size=3)]}) == [created_event("folder/")]


def test_sns_may_wrap_any_message_even_twice() -> None:
    once = sns_envelope(json.dumps({"Records": [notification("a b")]}))
    assert parsed(once) == parsed(sns_envelope(json.dumps(once))) == [CREATED]
    assert parsed(sns_envelope(json.dumps(eventbridge_event("a b")))) == [CREATED]
    assert parsed(sns_envelope('{"url": "https://example.com/a.png"}')) == [UrlSubmitted("https://example.com/a.png")]


@pytest.mark.parametrize("sequencer", [7, None, "\ud800", ["00"]])
def test_an_invalid_sequencer_is_dropped(sequencer: Any) -> None:
    unordered = [Created(ObjectRef("images", "a"), None)]
    assert parsed({"Records": [notification("a", sequencer=sequencer)]}) == unordered
    body = eventbridge_event("a")
    body["detail"]["object"]["sequencer"] = sequencer
    assert parsed(body) == unordered


def test_the_nesting_of_envelopes_is_limited() -> None:
    body: Any = {"Records": [notification("a")]}
    for _ in range(10):
        body = sns_envelope(json.dumps(body))
    with pytest.raises(UnknownMessage):
        parsed(body)


def test_a_reindex_message_is_parsed() -> None:
    body = {"image_id": "a" * 64, "collection": "c", "model": "m-2"}
    assert parse(json.dumps(body)) == [Reindex(ImageKey("c", "a" * 64), "m-2")]
    for wrong in ({"image_id": "a"}, {"collection": "C"}, {"model": ""}, {"more": 1}):
        with pytest.raises(UnknownMessage):
            parse(json.dumps(body | wrong))


CHECK = DuplicateCheck(
    ImageKey("c", "a" * 64),
    ObjectRef("pictures", "é +.png", "v1"),
    {"shop": "7"},
    unready_since="2026-01-01T00:00:00+00:00",
)


@pytest.mark.parametrize(
    "check",
    [CHECK, replace(CHECK, object=ObjectRef("pictures", "k"), metadata={}), DuplicateCheck(CHECK.image_key)],
)
def test_a_duplicate_check_survives_the_round_trip(check: DuplicateCheck) -> None:
    assert parse(duplicate_check(check)) == [check]


@pytest.mark.parametrize(
    "wrong",
    [
        {"image_id": "a"},
        {"collection": "C"},
        {"unready_since": "soon"},
        {"unready_since": "2026-01-01T00:00:00"},
        {"more": 1},
    ],
)
def test_an_invalid_duplicate_check_is_refused(wrong: dict[str, Any]) -> None:
    body = json.loads(duplicate_check(CHECK))
    with pytest.raises(UnknownMessage):
        parse(json.dumps({"duplicate_check": body["duplicate_check"] | wrong}))


def test_a_duplicate_check_of_an_earlier_version_is_parsed() -> None:
    body = {"image_id": "a" * 64, "collection": "c", "since": "2026-01-01T00:00:00Z"}
    assert parse(json.dumps({"duplicate_check": body})) == [DuplicateCheck(CHECK.image_key)]


@pytest.mark.parametrize(
    "step", [DuplicateScanStep("c", "1"), DuplicateScanStep("c", "1", "cursor", 10, "2026-01-01T00:00:00+00:00")]
)
def test_a_scan_step_survives_the_round_trip(step: DuplicateScanStep) -> None:
    assert parse(json.dumps(duplicate_scan(step))) == [step]


def test_an_object_that_must_be_indexed_is_named() -> None:
    sent: list[str] = []
    client: Any = type("Sqs", (), {"send_message": lambda self, MessageBody, **_: sent.append(MessageBody)})()  # noqa: N803
    event = Created(ObjectRef("pictures", "é +.png"), collection="cats")
    IngestMessages(client, "queue").index(event)
    assert parse(sent[0]) == [event]


def test_a_submission_names_an_object_or_a_url() -> None:
    more = {"collection": "cats", "metadata": {"shop": "7"}}
    by_name = [Created(ObjectRef("images", "a"), None, "cats", {"shop": "7"})]
    assert parsed(submission({"bucket": "images", "key": "a", **more})) == by_name
    assert parsed({"bucket": "images", "key": "a", **more}) == by_name
    address = "https://example.com/a.png"
    assert parsed(submission({"url": address, **more})) == [UrlSubmitted(address, "cats", {"shop": "7"})]


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
def test_an_invalid_submission_names_the_wrong_field(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnknownMessage, match=reason):
        parsed(submission(detail))


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
        json.dumps(submission({}, **{"detail-type": "Order Placed"})),
        json.dumps({"Records": [notification("a")]}).replace('"key": "a"', '"key": "%FF"'),
        json.dumps({"Records": [notification("a")]}).replace('"key": "a"', '"key": ""'),
        json.dumps(eventbridge_event("a")).replace('"key": "a"', '"key": 7'),
        json.dumps(eventbridge_event("a\udc00")),
        json.dumps({"Records": [notification("a")]}).replace('"key": "a"', '"key": "\\ud800"'),
        json.dumps({"Records": [notification("a", versionId=7)]}),
        json.dumps(eventbridge_event("a", version="\ud800")),
    ],
)
def test_an_unknown_message_is_refused(body: str) -> None:
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
def test_any_json_body_is_parsed_or_refused(body: Any) -> None:
    with suppress(UnknownMessage):
        assert isinstance(parse(json.dumps(body)), list)


def test_only_a_message_in_the_queue_itself_purges() -> None:
    assert parsed(purge_trash("cats")) == [PurgeTrash("cats", None)]
    with pytest.raises(UnknownMessage):
        parsed(sns_envelope(json.dumps(purge_trash("cats"))))


def test_only_the_queue_itself_says_that_the_trash_has_changed() -> None:
    event = TrashChanged(ImageKey("cats", "a" * 64), restored=True)  # as of an earlier version
    assert parse(json.dumps(trash_change(event))) == [event]
    event = replace(event, at="2026-12-01T00:00:00.500000+00:00")
    text = json.dumps(trash_change(event))
    assert parse(text) == [event]
    with pytest.raises(UnknownMessage):
        parse(json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": text}))
    with pytest.raises(UnknownMessage):
        parse(json.dumps({"trash_changed": {"image_id": "x", "collection": "cats", "restored": True}}))
