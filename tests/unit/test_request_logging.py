"""What the logs say of a request."""

import pytest
from starlette.requests import Request

from functions.api.errors import in_log


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/v1/stats", "GET /v1/stats"),
        ("/v1/shared/Ku_q9aM51qUERFVcDYl5zRVfQ3i507q4Pzzv7-QbZkM", "GET /v1/shared/…"),
        ("/v1/shared/Ku_q9aM5/images/0a/content", "GET /v1/shared/…/images/0a/content"),
        ("/shared/Ku_q9aM5", "GET /shared/…"),
        ("/v1/images/\x1b[2J\nERROR: x", "GET /v1/images/%1B%5B2J%0AERROR%3A%20x"),
    ],
)
def test_a_logged_request_has_no_token_and_no_control_characters(path: str, logged: str) -> None:
    request = Request({"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"secret"})
    assert in_log(request) == logged
