"""Fuzz targets: functions that read untrusted bytes, with what must hold for any bytes, and seeds."""

import asyncio
import ipaddress
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import Message

from functions.api import query_image
from functions.api.problems import PROBLEMS, Problem
from shared.aws import messages
from shared.aws.dynamodb import item_mapper
from shared.domain.errors import FetchRefused, PictureRefused
from shared.domain.events import Created, Removed, UrlSubmitted
from shared.domain.images import collection_of_key
from shared.domain.limits import FETCH_PORTS, MAX_PIXELS, MAX_SIDE, MAX_URL_LENGTH
from shared.net import addresses, urls
from shared.vision.decode import headers
from shared.vision.decode.decoders import decode_in_process
from tests.fuzz import seeds

SMALL: Final = 1 << 16
"""Images that claim more pixels are not decoded here, because fuzzing would spend most of its time on them."""


@dataclass(frozen=True, slots=True)
class Target:
    """A function to fuzz.

    Attributes:
        run: takes any bytes and raises an exception only if it finds a defect; it catches intended refusals.
        seeds: inputs to start with.
        words: significant byte strings that random changes would take long to find.
    """

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes]


def header(data: bytes) -> None:
    """Check that accepted headers, and what decoders then find, are within the limits."""
    try:
        claimed = headers.check(data)
    except PictureRefused:
        return
    assert 0 <= claimed.width <= MAX_SIDE
    assert 0 <= claimed.height <= MAX_SIDE
    assert claimed.width * claimed.height <= MAX_PIXELS
    if claimed.width * claimed.height > SMALL:
        return
    try:
        image = decode_in_process(data)
    except (PictureRefused, MemoryError):
        return
    assert image.width * image.height <= MAX_PIXELS, (claimed, image.width, image.height)


def event(data: bytes) -> None:
    """Check that a message is unknown, or names objects that S3 can have and DynamoDB can store."""
    try:
        ingest_events = messages.parse(data.decode(errors="replace"))
    except messages.UnknownMessage:
        return
    assert ingest_events
    for ingest_event in ingest_events:
        match ingest_event:
            case Created(ref) | Removed(ref):
                assert ref.bucket
                assert ref.key
                assert item_mapper.to_source(item_mapper.source_item("0" * 64, collection_of_key(ref.key), ref)) == ref
                "".join([ref.bucket, ref.key, ref.version or "", ingest_event.sequencer or ""]).encode()
            case UrlSubmitted(url):
                url.encode()


def address(data: bytes) -> None:
    """Check that an accepted URL is plain ASCII that all parsers read the same way, and that it parses to itself."""
    try:
        url = urls.parse(data.decode(errors="replace"))
    except FetchRefused:
        return
    scheme, host, target = url.scheme.decode("ascii"), url.host.decode("ascii"), url.target.decode("ascii")
    assert re.fullmatch(r"[!-~]+", host + target)
    assert url.port in FETCH_PORTS
    literal = f"[{host}]" if ":" in host else host
    written = f"{scheme}://{literal}:{url.port}{target}"
    assert len(written) > MAX_URL_LENGTH or urls.parse(written) == url
    assert urlsplit(written).hostname == httpx.URL(written).raw_host.decode() == host
    with suppress(ValueError):
        assert not (addresses.is_public(host) and ipaddress.ip_address(host).is_private)


def multipart(data: bytes) -> None:
    """Check that a form yields its parts or a documented problem; the first line has the content type's parameters."""
    parameters, _, body = data.partition(b"\n")
    for read in (query_image.read_search, query_image.read_pair):
        sent = False

        async def receive() -> Message:
            nonlocal sent
            assert not sent, "the body is read twice"
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        kind = b"multipart/form-data;" + parameters
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind)], "app": None}
        try:
            asyncio.run(read(Request(scope, receive)))
        except Problem as problem:
            status = PROBLEMS[problem.slug][0]
        except HTTPException as error:
            status = error.status_code
        else:
            continue
        assert 400 <= status < 500, status


TARGETS: Final = {
    "header": Target(header, seeds.IMAGES, seeds.IMAGE_WORDS),
    "event": Target(event, seeds.EVENTS, seeds.EVENT_WORDS),
    "address": Target(address, seeds.ADDRESSES, seeds.ADDRESS_WORDS),
    "multipart": Target(multipart, seeds.FORMS, seeds.FORM_WORDS),
}
