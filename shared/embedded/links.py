"""Signed links to objects, and signed upload forms: the local counterpart of S3's presigned URLs."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from shared.domain.limits import LINK_EXPIRES_SECONDS, LINK_HALF_LIFE_SECONDS, UPLOAD_EXPIRES_SECONDS
from shared.embedded.database import Database

SCHEMA: Final = """
CREATE TABLE signing_key (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    key BLOB NOT NULL
);
"""

OBJECTS_PATH: Final = "/objects"
"""Path of the form for uploads, and prefix of the paths of links."""


class LinkRefused(Exception):  # noqa: N818
    """A link or a form is not valid, or no longer; the message is one English sentence."""


class Links:
    """Signs with a key that the database keeps, so that a restart ends no link.

    Args:
        origin: returns the scheme and host that links begin with.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, origin: Callable[[], str], clock: Callable[[], float] = time.time) -> None:
        with database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO signing_key VALUES (1, ?)", (secrets.token_bytes(32),))
            (self._key,) = connection.execute("SELECT key FROM signing_key").fetchone()
        self._origin = origin
        self._clock = clock

    def link(self, key: str, media_type: str, download_as: str | None = None) -> str:
        """Return a link that shows an object, or saves it under a name; valid for `LINK_EXPIRES_SECONDS`."""
        return self._link(key, media_type, int(self._clock()) + LINK_EXPIRES_SECONDS, download_as or "")

    def lasting_link(self, key: str, media_type: str) -> str:
        """Return a link that stays the same for `LINK_HALF_LIFE_SECONDS`, and is valid for as long at least."""
        periods = int(self._clock() // LINK_HALF_LIFE_SECONDS) + 2
        return self._link(key, media_type, periods * LINK_HALF_LIFE_SECONDS)

    def form(self, key: str, media_type: str) -> tuple[str, dict[str, str]]:
        """Return URL and fields of a form that stores an object, valid for `UPLOAD_EXPIRES_SECONDS`."""
        expires = str(int(self._clock()) + UPLOAD_EXPIRES_SECONDS)
        fields = {"key": key, "Content-Type": media_type, "expires": expires}
        return f"{self._origin()}{OBJECTS_PATH}", fields | {
            "signature": self._sign("POST", key, media_type, expires, "")
        }

    def check_link(self, key: str, parameters: Mapping[str, str]) -> tuple[str, str | None]:
        """Return the media type with which a link shows an object, and the name under which to save it.

        Raises:
            LinkRefused: the link is not one of ours, or has expired.
        """
        media_type, name = parameters.get("type", ""), parameters.get("name", "")
        self._check("GET", key, media_type, parameters, name)
        return media_type, name or None

    def check_form(self, fields: Mapping[str, str]) -> tuple[str, str]:
        """Return the key and the media type of the object that a form may store.

        Raises:
            LinkRefused: the form is not one of ours, was changed, or has expired.
        """
        key, media_type = fields.get("key", ""), fields.get("Content-Type", "")
        self._check("POST", key, media_type, fields)
        return key, media_type

    def _link(self, key: str, media_type: str, expires: int, name: str = "") -> str:
        signature = self._sign("GET", key, media_type, str(expires), name)
        query = urlencode({"type": media_type, "name": name, "expires": expires, "signature": signature})
        return f"{self._origin()}{OBJECTS_PATH}/{quote(key)}?{query}"

    def _check(self, method: str, key: str, media_type: str, signed: Mapping[str, str], name: str = "") -> None:
        expires = signed.get("expires", "")
        genuine = self._sign(method, key, media_type, expires, name)
        if not hmac.compare_digest(genuine.encode(), signed.get("signature", "").encode()):
            raise LinkRefused("The signature does not fit the rest.")
        if int(expires) < self._clock():
            raise LinkRefused("The link or form has expired; request a new one.")

    def _sign(self, method: str, *values: str) -> str:
        text = json.dumps([method, *values])
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
