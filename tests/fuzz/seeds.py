"""Inputs from which the search begins: small and sound ones, so that every change is near something that is read."""

import io
import json
from typing import Final

import numpy as np
from PIL import Image

_PIXELS: Final = Image.fromarray(np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3))


def _encoded(kind: str, **options: object) -> bytes:
    with io.BytesIO() as file:
        _PIXELS.save(file, kind, **options)
        return file.getvalue()


PICTURES: Final = [
    _encoded("JPEG"),
    _encoded("JPEG", progressive=True),
    _encoded("PNG"),
    _encoded("PNG", save_all=True, append_images=[_PIXELS.rotate(90)]),
    _encoded("WEBP"),
    _encoded("WEBP", lossless=True),
    _encoded("WEBP", save_all=True, append_images=[_PIXELS.rotate(90)]),
    _encoded("GIF"),
    _encoded("BMP"),
    _encoded("TIFF"),
    _encoded("TIFF", big_tiff=True),
    _encoded("AVIF"),
]

_NOTICE: Final = {
    "Records": [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": "pictures"},
                "object": {"key": "a+b%C3%A9.png", "size": 5, "versionId": "v", "sequencer": "0055AED6DCD90281E5"},
            },
        }
    ]
}
_BRIDGED: Final = {
    "detail-type": "Object Deleted",
    "source": "aws.s3",
    "detail": {
        "bucket": {"name": "pictures"},
        "object": {"key": "a b", "size": 5, "version-id": "v", "sequencer": "00"},
        "deletion-type": "Permanently Deleted",
    },
}
EVENTS: Final = [
    json.dumps(body).encode()
    for body in (
        _NOTICE,
        {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(_NOTICE)},
        _BRIDGED,
        _BRIDGED | {"detail-type": "Object Created"},
        {"Event": "s3:TestEvent"},
        {"bucket": "pictures", "key": "a😀", "collection": "cats", "metadata": {"a": "b"}},
        {"detail-type": "Image Submitted", "source": "shop", "detail": {"url": "https://example.com/a.png"}},
    )
]

_PART: Final = b"--b\r\nContent-Disposition: form-data; name=%s; filename=a.png\r\nContent-Type: image/png\r\n\r\nx\r\n"
FORMS: Final = [
    b'boundary=b\n--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n',
    b"boundary=b; charset=utf-8\n" + _PART % b"file" + b"--b--\r\n",
    b'boundary="b"\n' + _PART % b"a" + _PART % b"b" + b"--b--\r\n",
    b"boundary=b\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + b"0" * 64 + b"\r\n--b--\r\n",
    b"boundary=b\n--b\r\nContent-Disposition: form-data; name*=utf-8''file; filename*=utf-8''%e2%82\r\n\r\n\r\n--b--",
]

PICTURE_WORDS: Final = [
    b"\xff\xd8\xff",
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xda",
    b"\x89PNG\r\n\x1a\n",
    b"IHDR",
    b"IDAT",
    b"IEND",
    b"acTL",
    b"fcTL",
    b"tRNS",
    b"eXIf",
    b"RIFF",
    b"WEBP",
    b"VP8 ",
    b"VP8L",
    b"VP8X",
    b"ANMF",
    b"EXIF",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"ftyp",
    b"avif",
    b"avis",
    b"ispe",
    b"irot",
    b"imir",
    b"Exif\0\0",
]
EVENT_WORDS: Final = [
    b"\\ud800",
    b"%ed%a0%80",
    b"%ff",
    b'"Records"',
    b'"versionId"',
    b'"version-id"',
    b'"sequencer"',
    b'"key"',
    b'"bucket"',
    b'"url"',
    b'"detail"',
    b'"detail-type"',
    b'"eventName"',
    b'"ObjectRemoved:Delete"',
    b'"Object Created"',
    b"null",
    b"NaN",
    b"1e999",
    b"[]",
    b"{}",
    b'"Message"',
    b'"metadata"',
    b'"collection"',
    b'"Image Submitted"',
]
FORM_WORDS: Final = [
    b"boundary=",
    b"charset=",
    b"undefined",
    b"utf-16",
    b"idna",
    b"Content-Disposition: ",
    b"Content-Type: ",
    b"form-data; ",
    b'name="file"',
    b'name="a"',
    b"filename=",
    b"filename*=",
    b"\r\n",
    b"\r\n\r\n",
    b"--b",
    b"--b--",
    b"Content-Transfer-",
]
"""What formats and parsers look for, spliced in by the fuzzer."""
