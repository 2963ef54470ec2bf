"""Images from the web, by way of the fetch function."""

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
    """Asks the function `function_name`; its refusals come out as the exceptions that they were.

    Raises (both calls):
        FetchRefused: the address gave no image.
        PictureRefused: it gave something that is no image.
        FetchFailed: the function, or S3 behind it, did not work.
    """

    def __init__(self, client: "LambdaClient", function_name: str) -> None:
        self._client = client
        self._function_name = function_name

    def store(self, url: str, key: str) -> None:
        """Have the image at `url`, at most `MAX_UPLOAD_BYTES`, put under an upload's key."""
        self._ask({"url": url, "key": key}, "stored")

    def read(self, url: str) -> bytes:
        """The image at `url`, at most `MAX_QUERY_BYTES`."""
        return base64.b64decode(self._ask({"url": url}, "fetched")["data"])

    def _ask(self, request: dict[str, str], expected: str) -> dict[str, Any]:
        if len(request["url"]) > MAX_URL_LENGTH or not request["url"].isprintable():
            # Lambda itself takes neither a payload without end nor half a surrogate pair.
            raise FetchRefused("bad_url", "The address is too long, or has control characters in it.")
        try:
            answered = self._client.invoke(FunctionName=self._function_name, Payload=json.dumps(request))
            payload = answered["Payload"].read()
        except (BotoCoreError, ClientError) as error:
            raise FetchFailed(_FAILED) from error
        if "FunctionError" in answered:
            raise FetchFailed(_FAILED) from RuntimeError(payload.decode("utf-8", "replace"))
        answer: dict[str, Any] = json.loads(payload)
        if answer["status"] == expected:
            return answer
        code, cause, reason = (str(answer.get(name)) for name in ("code", "cause", "reason"))
        if code == UNFETCHABLE and cause in FETCH_CAUSES:
            raise FetchRefused(cause, reason)
        if code in REFUSAL_CODES:
            raise PictureRefused(code, reason)
        raise FetchFailed(_FAILED) from RuntimeError(f"{code}: {reason}")
