"""Client of the fetch function, which downloads images from the web."""

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.errors import (
    FETCH_CAUSES,
    REFUSAL_CODES,
    UNFETCHABLE,
    FetchFailed,
    FetchRefused,
    PictureRefused,
)
from shared.domain.limits import MAX_URL_LENGTH

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_FAILED: Final = "The image could not be fetched just now; try again."


class LambdaFetcher:
    """Invokes the function `function_name`, and raises its refusals as exceptions.

    Raises (both methods):
        FetchRefused: the URL could not be fetched.
        PictureRefused: the URL led to something that is not an image.
        FetchFailed: the function, or S3 behind it, failed.
    """

    def __init__(self, client: "LambdaClient", function_name: str) -> None:
        self._client = client
        self._function_name = function_name

    def store(self, url: str, key: str) -> None:
        """Have the image at `url`, of at most `MAX_FETCH_BYTES`, stored under an upload's key."""
        self._invoke({"url": url, "key": key}, "stored")

    def read(self, url: str) -> bytes:
        """Return the bytes of the image at `url`, at most `MAX_QUERY_BYTES`."""
        return base64.b64decode(self._invoke({"url": url}, "fetched")["data"])

    def _invoke(self, request: dict[str, str], expected: str) -> dict[str, Any]:
        if len(request["url"]) > MAX_URL_LENGTH or not request["url"].isprintable():
            # Lambda itself rejects a payload that is too large or contains a lone surrogate.
            raise FetchRefused(
                "bad_url", f"The URL has more than {MAX_URL_LENGTH} characters, or contains control characters."
            )
        try:
            invocation = self._client.invoke(FunctionName=self._function_name, Payload=json.dumps(request))
            payload = invocation["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            raise FetchFailed(_FAILED) from error
        if "FunctionError" in invocation:
            raise FetchFailed(_FAILED) from RuntimeError(payload.decode("utf-8", "replace"))
        response: dict[str, Any] = json.loads(payload)
        if response["status"] == expected:
            return response
        code, cause, reason = (str(response.get(name)) for name in ("code", "cause", "reason"))
        if code == UNFETCHABLE and cause in FETCH_CAUSES:
            raise FetchRefused(cause, reason)
        if code in REFUSAL_CODES:
            raise PictureRefused(code, reason)
        raise FetchFailed(_FAILED) from RuntimeError(f"{code}: {reason}")
