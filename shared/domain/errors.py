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
    "foreign_object": "the object is neither an upload nor in a bucket that this stack was told to read",
    "unfetchable": "nothing could be fetched from the address",
    "empty": "there are no bytes",
    "unsupported_type": "the magic bytes are of no format that we read",
    "too_large": "more bytes than the limit",
    "too_many_pixels": "the header claims more pixels, or a longer side, than the limit",
    "corrupt": "the format is known but the picture cannot be decoded",
    "too_complex": "decoding would take, or took, far more time or memory than a real picture needs",
    "decoder_failed": "the decoder crashed on the picture",
}


class NotFound(Exception):  # noqa: N818
    """There is no such thing, or the caller may not know of it."""


class InvalidCursor(ValueError):  # noqa: N818
    """A page's cursor was not made by us, or for another collection."""
