"""OpenAPI descriptions of bodies that hold images."""

from typing import Any, Final

from functions.api.schemas.common import EXAMPLE_ID, EXAMPLE_IMAGE, EXAMPLE_PHASH, EXAMPLE_UPLOAD
from shared.domain.formats import MEDIA_TYPES
from shared.domain.perceptual_hashes import PDQ_PATTERN, PHASH_PATTERN

IMAGE: dict[str, Any] = {"contentType": ", ".join(sorted(MEDIA_TYPES.values()))}
"""The OpenAPI encoding of a multipart part that is an image."""

UPLOAD_BODY: dict[str, Any] = {"requestBody": {"content": {"multipart/form-data": {"encoding": {"file": IMAGE}}}}}
IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "encoding": {"file": IMAGE},
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        "image_id": {"type": "string"},
                        "upload_id": {"type": "string"},
                        "url": {"type": "string"},
                        "image_base64": {"type": "string"},
                    },
                },
                "examples": {
                    "stored image": {"value": {"image_id": EXAMPLE_ID}},
                    "upload": {"value": {"upload_id": EXAMPLE_UPLOAD}},
                    "inline": {"value": {"image_base64": EXAMPLE_IMAGE}},
                },
            },
        },
    }
}
_IMAGE_JSON: Final = IMAGE_BODY["requestBody"]["content"]["application/json"]
_HASHES: Final = {
    "phash": {"type": "string", "pattern": PHASH_PATTERN},
    "pdq": {"type": "string", "pattern": PDQ_PATTERN},
}
SEARCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            **IMAGE_BODY["requestBody"]["content"],
            "application/json": {
                "schema": _IMAGE_JSON["schema"] | {"properties": _IMAGE_JSON["schema"]["properties"] | _HASHES},
                "examples": _IMAGE_JSON["examples"] | {"hash": {"value": {"phash": EXAMPLE_PHASH}}},
            },
        },
    }
}
COMPARE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["a", "b"],
                    "properties": {
                        "a": {"type": "string", "format": "binary"},
                        "b": {"type": "string", "format": "binary"},
                    },
                },
                "encoding": {"a": IMAGE, "b": IMAGE},
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["a", "b"],
                    "additionalProperties": False,
                    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                },
                "examples": {
                    "stored images": {"value": {"a": EXAMPLE_ID, "b": EXAMPLE_ID}},
                    "a stored one and one on the web": {"value": {"a": "https://example.com/cat.jpg", "b": EXAMPLE_ID}},
                },
            },
        },
    }
}
