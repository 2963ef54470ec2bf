"""Seeds of the search: small and valid inputs, so that most changes still reach the code that reads them."""

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


IMAGES: Final = [
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
                "bucket": {"name": "images"},
                "object": {"key": "a+b%C3%A9.png", "size": 5, "versionId": "v", "sequencer": "0055AED6DCD90281E5"},
            },
        }
    ]
}
_BRIDGED: Final = {
    "detail-type": "Object Deleted",
    "source": "aws.s3",
    "detail": {
        "bucket": {"name": "images"},
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
        {"bucket": "images", "key": "a😀", "collection": "cats", "metadata": {"a": "b"}},
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

IMAGE_WORDS: Final = [
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

ADDRESSES: Final = tuple(
    text.encode()
    for text in (
        "https://example.com/a.jpg?size=2#top",
        "http://example.com:80/",
        "http://93.184.215.14/a",
        "http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        "http://[::ffff:127.0.0.1]/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://2130706433/",
        "http://user:secret@example.com/",
        "http://example.com\\@127.0.0.1/",
        "https://bücher.example/ü?ö",
        "http://localhost/",
    )
)
ADDRESS_WORDS: Final = (
    *(b"http://", b"https://", b"file://", b"//", b"@", b":80", b":443", b"[", b"]", b"::1", b"::ffff:", b"64:ff9b::"),
    *(b"127.0.0.1", b"0x7f", b"0177", b"%00", b"%25", b"%2e", b"%0d%0a", b"#", b"?", b"\\", b"xn--", b".", b"..", b"/"),
    *("。".encode(), "①".encode(), "\u200d".encode(), "ß".encode(), b"example.com", b"\r\n", b"\t"),
)
