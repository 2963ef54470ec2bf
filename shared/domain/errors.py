"""What can go wrong with input, as types that carry a machine-readable code."""


class PictureRefused(Exception):  # noqa: N818 - it is an outcome, not a fault
    """These bytes are not a picture that we decode. Never retried.

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


REFUSAL_CODES = {
    "gone": "the object was removed before it was read",
    "empty": "there are no bytes",
    "unsupported_type": "the magic bytes are of no format that we read",
    "too_large": "more bytes than the limit",
    "too_many_pixels": "the header claims more pixels, or a longer side, than the limit",
    "corrupt": "the format is known but the picture cannot be decoded",
    "too_complex": "decoding would take far longer than a real picture needs",
}


class FetchRefused(Exception):  # noqa: N818 - an outcome, not a fault
    """A web address gave no picture.

    Attributes:
        code: one of `FETCH_REFUSAL_CODES`.
        reason: one English sentence for the person who gave the address. It names no address that a name led to,
            and is the same for a host that does not exist and for one that is not public.
    """

    def __init__(self, code: str, reason: str) -> None:
        if code not in FETCH_REFUSAL_CODES:
            raise ValueError(f"unknown refusal code {code!r}")
        super().__init__(reason)
        self.code = code
        self.reason = reason


FETCH_REFUSAL_CODES = {
    "bad_url": "not an http(s) URL of a host, or one that parsers read differently",
    "not_public": "the host has no address, or not only public ones",
    "unreachable": "no connection, or no answer in HTTP",
    "bad_certificate": "TLS failed, or the certificate is not valid for the host",
    "timeout": "not done in time",
    "too_many_redirects": "more redirects than are followed",
    "http_status": "an answer other than 200 with a body",
    "encoded": "the body is compressed although that was not asked for",
    "incomplete": "the connection ended before the announced length",
    "too_large": "more bytes than the limit",
}


class FetchFailed(Exception):  # noqa: N818 - a fault, told apart from the library's errors
    """Fetching did not work for a reason that is not the address's: it may be tried again."""


class NotFound(Exception):  # noqa: N818
    """There is no such thing, or the caller may not know of it."""


class InvalidCursor(ValueError):  # noqa: N818
    """A page's cursor was not made by us, or for another collection."""
