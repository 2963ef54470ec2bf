"""The handlers under Lambda's runtime client, with the benchmark's fake of the Runtime API."""

import json

import pytest

from bench.speed import runtime_api
from bench.speed.events import http_event
from infra.local.cloud import API
from shared.domain.limits import MIB
from tests.conftest import PicTrace


def test_the_api_starts_as_in_lambda_and_health_loads_no_model(running: PicTrace) -> None:
    with runtime_api.running(API) as function:
        ms, answer = function.call(http_event("GET", "/health"))
        assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "ok")
        assert ms > 0
        assert min(function.call(http_event("GET", "/health"))[0] for _ in range(5)) < 35
        assert function.init_ms > 0
        assert not function.maps("ai_edge_litert")
        assert function.maps("cv2")
        assert 20 * MIB < function.memory() < 500 * MIB


def test_a_handler_that_cannot_be_imported_is_reported() -> None:
    with (
        pytest.raises(runtime_api.HandlerFailed, match=r"init failed|ended with status"),
        runtime_api.running("bench.speed.absent.handler") as function,
    ):
        function.call({})
