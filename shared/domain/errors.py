"""Exceptions that the layers share; a refusal carries a machine-readable code."""


class PictureRefused(Exception):  # noqa: N818 - it is an outcome, not a fault
    """There is no image that can be indexed or searched for. The outcome is final: it is not retried.

    Attributes:
        code: one of `REFUSAL_CODES`.
        reason: one English sentence for the person who sent the image.
    """

    def __init__(self, code: str, reason: str) -> None:
        if code not in REFUSAL_CODES:
            raise ValueError(f"unknown refusal code {code!r}")
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Unreadable(PictureRefused):
    """The object exists, but its bytes cannot be read at present, so nothing is known of the image.

    It is not retried automatically. Once the object is restored or the permission is granted, `index` can be run again.
    """


REFUSAL_CODES = {
    "gone": "the object was removed before it was read",
    "expired": "no file arrived before the form expired, or it was removed before it was read",
    "failed": "processing failed in every attempt; an operator can have it tried again",
    "foreign_object": "the object is neither an upload nor in a bucket that this stack is configured to read",
    "archived": "the object is archived and has not been restored",
    "access_denied": "the stack lacks permission to read the object, or to use the key that encrypts it",
    "customer_key": "the object is encrypted with a key that S3 does not keep (SSE-C)",
    "content_encoding": "the object is stored compressed, under a Content-Encoding such as gzip",
    "unfetchable": "no image could be fetched from the URL",
    "empty": "the file has no bytes",
    "unsupported_type": "the bytes are in none of the supported formats",
    "camera_raw": "the file is camera RAW without a JPEG that shows it",
    "too_large": "the file has more bytes than the limit",
    "too_many_pixels": "the header declares more pixels, or a longer side, than the limit",
    "corrupt": "the format is supported, but the image cannot be decoded",
    "too_complex": "decoding needs, or would need, far more time or memory than a real image does",
    "decoder_failed": "the decoder crashed on the image",
    "undescribable": "the model computes features of the image that are not all finite numbers",
}


UNFETCHABLE = "unfetchable"


class FetchRefused(PictureRefused):
    """No image can be fetched from a URL. The refusal's code is `unfetchable`.

    Attributes:
        cause: one of `FETCH_CAUSES`.
        reason: one English sentence for the person who gave the URL. It never contains the IP address of a host, and
            is the same for a host that does not exist as for one that is not public.
    """

    def __init__(self, cause: str, reason: str) -> None:
        if cause not in FETCH_CAUSES:
            raise ValueError(f"unknown cause {cause!r}")
        super().__init__(UNFETCHABLE, reason)
        self.cause = cause


FETCH_CAUSES = {
    "bad_url": "not an http(s) URL with a host, or one that parsers interpret differently",
    "not_public": "the host has no IP address, or one that is not public",
    "unreachable": "no connection, TLS session or HTTP response",
    "bad_certificate": "the certificate of the host is not valid for its name",
    "timeout": "the fetch took longer than the limit",
    "too_many_redirects": "more redirects than the limit",
    "http_status": "the response is not 200 with a body",
    "encoded": "the body is compressed, although the request did not allow it",
    "incomplete": "the connection ended before the announced length",
    "too_large": "the body has more bytes than the limit",
}


class FetchFailed(Exception):  # noqa: N818 - a fault, told apart from the library's errors
    """Fetching failed for a reason other than the URL; it may be retried."""


class IndexNotReady(Exception):  # noqa: N818 - an outage, told apart from the library's errors
    """A vector index is being built, for example after a restore; the same search succeeds later."""


class NotFound(Exception):  # noqa: N818
    """What the caller names does not exist, or the caller cannot access it."""


class InvalidCursor(ValueError):  # noqa: N818
    """A cursor is malformed or belongs to another collection."""


class Unauthenticated(Exception):  # noqa: N818
    """The call has no valid credentials; the response never says why."""


class Forbidden(Exception):  # noqa: N818
    """The caller is authenticated but not permitted to do this."""


class CollectionNeeded(Exception):  # noqa: N818
    """The caller must name a collection."""


class RateLimited(Exception):  # noqa: N818
    """The caller has used up its calls for this minute.

    Attributes:
        retry_after: whole seconds until the next minute begins, 1 to 60.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"This key has used up its calls for this minute. Try again in {retry_after} s.")
        self.retry_after = retry_after


class DecoderUnavailable(RuntimeError):  # noqa: N818
    """The process that decodes cannot be started, or does not answer. The image is never the cause."""
