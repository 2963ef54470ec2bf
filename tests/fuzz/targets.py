"""What is fuzzed: functions that read foreign bytes, what must hold for any, and some bytes to begin with."""

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
from functions.api.errors import PROBLEMS, Problem
from shared.aws import messages
from shared.aws.dynamodb import item_mapper
from shared.domain.errors import FetchRefused, PictureRefused
from shared.domain.events import Created, Removed, UrlSubmitted
from shared.domain.images import collection_of_key
from shared.domain.limits import FETCH_PORTS, MAX_PIXELS, MAX_SIDE, MAX_URL_LENGTH
from shared.net import addresses, urls
from shared.vision.decode import headers
from shared.vision.decode.decoding import decode_here
from tests.fuzz import seeds

SMALL: Final = 1 << 16
"""Images that claim more pixels are not decoded here: fuzzing would do little else."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something to fuzz.

    Attributes:
        run: raises whatever it should not for some bytes; refusals that are meant are caught in it.
        seeds: inputs to begin with.
        words: pieces that matter, which chance would take long to find.
    """

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes]


def header(data: bytes) -> None:
    """What passes the guard is within the limits, and no decoder finds more pixels than it claims."""
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
        image = decode_here(data)
    except (PictureRefused, MemoryError):
        return
    assert image.width * image.height <= claimed.width * claimed.height, (claimed, image.width, image.height)


def event(data: bytes) -> None:
    """A message is understood or unknown, and what is understood can be asked of S3 and kept in DynamoDB."""
    try:
        ingest_events = messages.read(data.decode(errors="replace"))
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
    """What passes the guard of URLs is plain ASCII that parsers read alike, and reading it again changes nothing."""
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
    """A form gives its parts or a documented problem. The first line is the content type's parameters."""
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
