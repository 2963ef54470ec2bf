"""What can go wrong with input, as types that carry a machine-readable code."""


class PictureRefused(Exception):  # noqa: N818 - it is an outcome, not a fault
    """These bytes are not an image that we decode. Never retried.

    Attributes:
        code: one of `REFUSAL_CODES`.
        reason: one English sentence for the person who sent the bytes.
    """

    def __init__(self, code: str, reason: str) -> None:
        if code not in REFUSAL_CODES:
            raise ValueError(f"unknown refusal code {code!r}")
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Unreadable(PictureRefused):
    """The object is there, but its bytes cannot be had as things are: nothing is known of the image.

    It is not tried again by itself. Once the object was restored or a right was granted, a later run of `index` takes
    it.
    """


REFUSAL_CODES = {
    "gone": "the object was removed before it was read",
    "foreign_object": "the object is neither an upload nor in a bucket that this stack was told to read",
    "archived": "the object is archived and has not been restored",
    "access_denied": "the stack may not read the object, or not use the key that encrypts it",
    "customer_key": "the object is encrypted with a key that S3 does not keep (SSE-C)",
    "content_encoding": "the object is stored compressed, under a Content-Encoding such as gzip",
    "unfetchable": "nothing could be fetched from the address",
    "empty": "there are no bytes",
    "unsupported_type": "the magic bytes are of no format that we read",
    "too_large": "more bytes than the limit",
    "too_many_pixels": "the header claims more pixels, or a longer side, than the limit",
    "corrupt": "the format is known but the image cannot be decoded",
    "too_complex": "decoding would take, or took, far more time or memory than a real image needs",
    "decoder_failed": "the decoder crashed on the image",
    "undescribable": "the features that the model computes of the image are not all numbers",
}


UNFETCHABLE = "unfetchable"


class FetchRefused(PictureRefused):
    """A web address gave nothing: `unfetchable`.

    Attributes:
        cause: one of `FETCH_CAUSES`.
        reason: one English sentence for the person who gave the address. It names no address that a name led to,
            and is the same for a host that does not exist and for one that is not public.
    """

    def __init__(self, cause: str, reason: str) -> None:
        if cause not in FETCH_CAUSES:
            raise ValueError(f"unknown cause {cause!r}")
        super().__init__(UNFETCHABLE, reason)
        self.cause = cause


FETCH_CAUSES = {
    "bad_url": "not an http(s) URL of a host, or one that parsers read differently",
    "not_public": "the host has no address, or not only public ones",
    "unreachable": "no connection, no TLS or no answer in HTTP",
    "bad_certificate": "the host has no valid certificate for its name",
    "timeout": "not done in time",
    "too_many_redirects": "more redirects than are followed",
    "http_status": "an answer other than 200 with a body",
    "encoded": "the body is compressed although that was not asked for",
    "incomplete": "the connection ended before the announced length",
    "too_large": "more bytes than the limit",
}


class FetchFailed(Exception):  # noqa: N818 - a fault, told apart from the library's errors
    """Fetching did not work for a reason that is not the address's: it may be tried again."""


class IndexNotReady(Exception):  # noqa: N818 - an outage, told apart from the library's errors
    """A vector index is being built, as after a restore or a change of the index: the same search succeeds later."""


class NotFound(Exception):  # noqa: N818
    """There is no such thing, or the caller may not know of it."""


class InvalidCursor(ValueError):  # noqa: N818
    """A page's cursor was not made by us, or for another collection."""


class Unauthenticated(Exception):  # noqa: N818
    """The call brought no valid credentials; why is never told."""


class Forbidden(Exception):  # noqa: N818
    """The caller is known, and may not do this."""


class CollectionNeeded(Exception):  # noqa: N818
    """The caller must say which collection is meant."""


class RateLimited(Exception):  # noqa: N818
    """The caller has used up this minute's calls.

    Attributes:
        retry_after: whole seconds until the next minute begins, 1 to 60.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"This key has used up its calls of this minute. Try again in {retry_after} s.")
        self.retry_after = retry_after
