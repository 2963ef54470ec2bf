"""What is fuzzed: functions that read foreign bytes, what must hold for any, and some bytes to begin with."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import Message

from functions.api import queries
from functions.api.errors import PROBLEMS, Problem
from shared.aws import messages, records
from shared.domain.arrivals import Addressed, Created, Removed
from shared.domain.errors import PictureRefused
from shared.domain.images import collection_of_key
from shared.domain.limits import MAX_PIXELS, MAX_SIDE
from shared.vision import headers
from shared.vision.decoding import decode
from tests.fuzz import seeds

SMALL: Final = 1 << 16
"""Pictures that claim more pixels are not decoded here: fuzzing would do little else."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something to fuzz.

    Attributes:
        run: raises whatever it should not for some bytes; refusals that are meant are caught in it.
        seeds: inputs to begin with.
    """

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


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
        picture = decode(data)
    except PictureRefused:
        return
    assert picture.width * picture.height <= claimed.width * claimed.height, (claimed, picture.width, picture.height)


def event(data: bytes) -> None:
    """A message is understood or unknown, and what is understood can be asked of S3 and kept in DynamoDB."""
    try:
        arrivals = messages.read(data.decode(errors="replace"))
    except messages.UnknownMessage:
        return
    assert arrivals
    for arrival in arrivals:
        match arrival:
            case Created(ref) | Removed(ref):
                assert ref.bucket
                assert ref.key
                json.dumps([records.object_key(ref), collection_of_key(ref.key)], ensure_ascii=False).encode()
                f"{ref.bucket}{ref.key}{ref.version or ''}{arrival.sequencer or ''}".encode()
            case Addressed(url):
                url.encode()


def multipart(data: bytes) -> None:
    """A form gives its parts or a documented problem. The first line is the content type's parameters."""
    parameters, _, body = data.partition(b"\n")
    for read in (queries.read_search, queries.read_pair):
        sent = False

        async def receive() -> Message:
            nonlocal sent
            assert not sent, "the body is read twice"
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        kind = b"multipart/form-data;" + parameters
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind)], "app": None}
        try:
            asyncio.run(read(Request(scope, receive)))  # type: ignore[arg-type]
        except Problem as problem:
            assert PROBLEMS[problem.slug][0] < 500, problem
        except HTTPException as error:
            assert error.status_code < 500, error


TARGETS: Final = {
    "header": Target(header, seeds.PICTURES),
    "event": Target(event, seeds.EVENTS),
    "multipart": Target(multipart, seeds.FORMS),
}
