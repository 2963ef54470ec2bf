"""Read the query images from a request's body: multipart files, base64, ids or URLs."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from functions.api.body_limit import TOO_LARGE
from functions.api.problems import Problem
from shared.domain.images import IMAGE_ID_PATTERN, UPLOAD_ID_PATTERN
from shared.domain.limits import MAX_QUERY_BYTES
from shared.domain.perceptual_hashes import HASH_BITS, HASH_PATTERNS, HashKind

QUERY_FIELDS: Final = ("image_id", "upload_id", "url", "image_base64")
HASH_PARAMETERS: Final = frozenset({"collection", "k"})
"""Query parameters of a search for a hash."""
_BASE64_LIMIT: Final = MAX_QUERY_BYTES * 4 // 3 + 4


@dataclass(frozen=True, slots=True)
class Bytes:
    """An image inside the request."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored image, by its id."""

    image_id: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The image of an upload, by the id of the upload."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class Address:
    """An image on the web, by its URL."""

    url: str


@dataclass(frozen=True, slots=True)
class Hash:
    """A perceptual hash instead of an image."""

    kind: HashKind
    value: str


Query = Bytes | Stored | Uploaded | Address


async def read_search(request: Request) -> Query | Hash:
    """Return the query of a search: an image, or a perceptual hash.

    Raises:
        Problem: see `read_image`.
    """
    if _content_type(request) == "application/json":
        body = await _json_object(request)
        if len(body) == 1 and body.keys() <= set(HashKind):
            return _hash(request, *body.popitem())
        return _named_image(body)
    return await read_image(request)


async def read_image(request: Request) -> Query:
    """Return the query image of a search.

    Raises:
        Problem: 400, 404, 413, 415 or 422, depending on what is wrong with the body.
    """
    kind = _content_type(request)
    if kind == "multipart/form-data":
        return await _part(request, "file")
    if kind == "application/json":
        return _named_image(await _json_object(request))
    raise Problem("unsupported-media-type", "Send multipart/form-data with a part `file`, or application/json.")


async def read_pair(request: Request) -> tuple[Query, Query]:
    """Return the images `a` and `b` of a comparison: multipart files or ids, or JSON ids or URLs.

    Raises:
        Problem: see `read_image`.
    """
    kind = _content_type(request)
    if kind == "multipart/form-data":
        return await _part(request, "a"), await _part(request, "b")
    if kind == "application/json":
        body = await _json_object(request)
        if set(body) != {"a", "b"}:
            raise Problem("invalid-request", "Send the ids or URLs of two images as `a` and `b`.")
        return _id_or_address(body["a"]), _id_or_address(body["b"])
    raise Problem("unsupported-media-type", "Send multipart/form-data with parts `a` and `b`, or application/json.")


def _hash(request: Request, name: str, value: Any) -> Hash:
    kind = HashKind(name)
    if not isinstance(value, str) or not re.fullmatch(HASH_PATTERNS[kind], value):
        raise Problem("invalid-request", f"`{name}` must be {HASH_BITS[kind] // 4} hex digits.")
    if others := sorted(set(request.query_params) - HASH_PARAMETERS):
        named = " and ".join(f"`{other}`" for other in others)
        raise Problem("invalid-request", f"A search for a hash does not take {named}. See POST /v1/search/hashes.")
    return Hash(kind, value)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def _part(request: Request, name: str) -> Query:
    try:
        form = await request.form(max_files=2, max_fields=8)
    except HTTPException as error:
        if error.status_code != HTTPStatus.BAD_REQUEST:
            raise
        raise Problem("malformed-body", f"The multipart body cannot be read: {error.detail}") from error
    except ValueError as error:  # `charset` names a codec that does not decode text
        raise Problem(
            "malformed-body", "The multipart body cannot be read: its charset is not a text encoding."
        ) from error
    part = form.get(name)
    if isinstance(part, UploadFile):
        data = await part.read(MAX_QUERY_BYTES + 1)
        if len(data) > MAX_QUERY_BYTES:
            raise Problem("too-large", TOO_LARGE)
        return Bytes(data)
    if isinstance(part, str) and re.fullmatch(IMAGE_ID_PATTERN, part):
        return Stored(part)
    raise Problem("invalid-request", f"The multipart body must have a file in the part `{name}`.")


async def _json_object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise Problem("malformed-body", "The body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise Problem("invalid-request", "The body must be a JSON object.")
    return body


def _named_image(body: dict[str, Any]) -> Query:
    given = [(name, value) for name, value in body.items() if name in QUERY_FIELDS]
    if len(given) != 1 or len(body) != 1:
        raise Problem("invalid-request", f"Send exactly one of {', '.join(QUERY_FIELDS)}.")
    return _named(*given[0])


def _named(name: str, value: Any) -> Query:
    if not isinstance(value, str):
        raise Problem("invalid-request", f"`{name}` must be a string.")
    match name:
        case "image_id":
            return Stored(_absent_unless(IMAGE_ID_PATTERN, value, "image"))
        case "upload_id":
            return Uploaded(_absent_unless(UPLOAD_ID_PATTERN, value, "upload"))
        case "url":
            return Address(value)
        case _:
            return Bytes(_from_base64(value))


def _id_or_address(value: Any) -> Query:
    is_address = isinstance(value, str) and value.startswith(("https://", "http://"))
    return _named("url" if is_address else "image_id", value)


def _absent_unless(pattern: str, value: str, what: str) -> str:
    if not re.fullmatch(pattern, value):
        raise Problem("not-found", f"There is no {what} with this id.")
    return value


def _from_base64(text: str) -> bytes:
    if len(text) > _BASE64_LIMIT:
        raise Problem("too-large", TOO_LARGE)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("malformed-body", "`image_base64` is not standard base64 (RFC 4648, section 4).") from error
