"""Authentication and authorization, of the API that requires keys and of the one behind a JWT authorizer."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from mangum import Mangum

from functions.api.app import create_app
from functions.api.auth import AuthenticatedRoute
from functions.api.bootstrap import deployed_services
from functions.api.errors import UNAUTHENTICATED
from functions.api.routes.shared import PublicRoute
from functions.api.security_headers import SECURITY_HEADERS
from infra.local.queue_worker import FunctionContext
from infra.stack.api import PUBLIC
from shared.domain.access import Access, Scope
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.settings import ApiSettings
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise
from tests.integration.test_api_errors import problem
from tests.integration.test_lambda import http_event

ABSENT: Final = "0" * 64
PERSON: Final = "0" * 32
CALLS: Final = {
    ("GET", "/v1/images"): {Scope.SEARCH},
    ("GET", f"/v1/images/{ABSENT}"): {Scope.SEARCH},
    ("GET", f"/v1/images/{ABSENT}/content"): {Scope.SEARCH},
    ("GET", f"/v1/images/{ABSENT}/thumbnail"): {Scope.SEARCH},
    ("GET", f"/v1/images/{ABSENT}/similar"): {Scope.SEARCH},
    ("GET", f"/uploads/{ABSENT}.jpg"): {Scope.SEARCH},
    ("GET", "/v1/stats"): {Scope.SEARCH},
    ("GET", "/v1/collections"): {Scope.SEARCH},
    ("GET", "/v1/duplicates"): {Scope.SEARCH},
    ("GET", "/v1/duplicates/check"): {Scope.SEARCH},
    ("GET", "/v1/duplicates/decisions"): {Scope.SEARCH},
    ("GET", f"/v1/duplicates/{ABSENT}"): {Scope.SEARCH},
    ("GET", "/v1/trash"): {Scope.SEARCH},
    ("GET", "/v1/tags"): {Scope.SEARCH},
    ("GET", "/v1/people"): {Scope.SEARCH},
    ("GET", "/v1/people/suggestions"): {Scope.SEARCH},
    ("GET", "/v1/people/records"): {Scope.SEARCH},
    ("GET", f"/v1/people/{PERSON}"): {Scope.SEARCH},
    ("GET", f"/v1/people/{PERSON}/faces"): {Scope.SEARCH},
    ("GET", f"/v1/people/{PERSON}/suggestions"): {Scope.SEARCH},
    ("GET", "/v1/faces"): {Scope.SEARCH},
    ("GET", "/v1/collections/t-scopes"): {Scope.SEARCH},
    ("GET", "/v1/albums"): {Scope.SEARCH},
    ("GET", f"/v1/albums/{ABSENT}"): {Scope.SEARCH},
    ("GET", f"/v1/albums/{ABSENT}/shares"): {Scope.SEARCH},
    ("POST", "/v1/search"): {Scope.SEARCH},
    ("POST", "/v1/search/hashes"): {Scope.SEARCH},
    ("POST", "/v1/compare"): {Scope.SEARCH},
    ("POST", "/v1/people/search"): {Scope.SEARCH},
    ("POST", "/v1/uploads"): {Scope.WRITE},
    ("POST", "/v1/images"): {Scope.WRITE},
    ("PATCH", f"/v1/images/{ABSENT}"): {Scope.WRITE},
    ("DELETE", f"/v1/images/{ABSENT}"): {Scope.WRITE},
    ("PUT", f"/v1/images/{ABSENT}/tags/dog"): {Scope.WRITE},
    ("DELETE", f"/v1/images/{ABSENT}/tags/dog"): {Scope.WRITE},
    ("POST", "/v1/albums"): {Scope.WRITE},
    ("PUT", f"/v1/albums/{ABSENT}"): {Scope.WRITE},
    ("PATCH", f"/v1/albums/{ABSENT}"): {Scope.WRITE},
    ("DELETE", f"/v1/albums/{ABSENT}"): {Scope.WRITE},
    ("PATCH", f"/v1/albums/{ABSENT}/images"): {Scope.WRITE},
    ("POST", f"/v1/albums/{ABSENT}/shares"): {Scope.SEARCH, Scope.WRITE},
    ("DELETE", f"/v1/albums/{ABSENT}/shares/{ABSENT}"): {Scope.WRITE},
    ("PUT", "/v1/collections/t-scopes"): {Scope.WRITE},
    ("DELETE", "/v1/collections/t-scopes"): {Scope.WRITE},
    ("POST", "/v1/duplicates/check"): {Scope.WRITE},
    ("POST", "/v1/duplicates/decisions"): {Scope.WRITE},
    ("POST", "/v1/duplicates/resolve"): {Scope.SEARCH, Scope.WRITE},
    ("PUT", f"/v1/duplicates/{ABSENT}/kept"): {Scope.SEARCH, Scope.WRITE},
    ("POST", f"/v1/trash/{ABSENT}/restore"): {Scope.WRITE},
    ("GET", "/v1/trash/albums"): {Scope.SEARCH},
    ("POST", f"/v1/trash/albums/{'0' * 32}/restore"): {Scope.WRITE},
    ("DELETE", f"/v1/trash/{ABSENT}"): {Scope.WRITE},
    ("DELETE", "/v1/trash"): {Scope.WRITE},
    ("PATCH", "/v1/people"): {Scope.SEARCH, Scope.WRITE},
    ("POST", "/v1/people/records"): {Scope.WRITE},
    ("PATCH", f"/v1/people/{PERSON}"): {Scope.SEARCH, Scope.WRITE},
    ("POST", f"/v1/people/{PERSON}/merge"): {Scope.SEARCH, Scope.WRITE},
    ("POST", f"/v1/people/{PERSON}/unmerge"): {Scope.SEARCH, Scope.WRITE},
    ("POST", f"/v1/people/{PERSON}/apart"): {Scope.WRITE},
    ("PUT", f"/v1/faces/{ABSENT}/person"): {Scope.SEARCH, Scope.WRITE},
    ("DELETE", f"/v1/faces/{ABSENT}/person"): {Scope.SEARCH, Scope.WRITE},
    ("PATCH", "/v1/collections/t-scopes"): {Scope.ADMIN},
    ("DELETE", "/v1/collections/t-scopes/faces"): {Scope.ADMIN},
    ("POST", "/upload/"): {Scope.SEARCH, Scope.WRITE},
    ("POST", "/upload_from_url/"): {Scope.SEARCH, Scope.WRITE},
    ("GET", f"/v1/uploads/{'0' * 32}"): set(),
}
"""Every call on data with the scopes that it requires; an empty set means any scope."""


def flatten(routes: Iterable[Any]) -> Iterator[Any]:
    """Yield the routes, with included routers replaced by their routes."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from flatten(router.routes) if router else [route]


def test_every_route_that_is_not_public_authenticates_the_caller(closed: ClosedApi, running: PicTrace) -> None:
    """Read from the application's routing table, so that a new route cannot be forgotten."""
    running.cloud.app.openapi()  # which has all routes added
    routes = list(flatten(running.cloud.app.routes))
    asking = {route.path_format for route in routes if isinstance(route, AuthenticatedRoute)}
    shared = {route.path_format for route in routes if isinstance(route, PublicRoute)}
    assert len(shared) == 4
    assert {path for path in shared if not path.startswith("/v1/shared/{token}")} == set()
    public = {path.replace("{proxy+}", "{name}") for path in PUBLIC.values()}
    assert {route.path_format for route in routes} - asking - shared == (
        public - {"/static-offline-docs/{name}", "/shared/{name}", "/v1/shared/{name}"}
    ) | {"/static-offline-docs/{path}", "/shared/{token}"}
    schema = httpx.get(f"{closed.url}/openapi.json").json()["paths"]
    assert set(schema) == asking | shared | {"/health"}
    assert sum(map(len, schema.values())) == len(CALLS) + len(shared) + 1


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_on_data_requires_a_key(closed: ClosedApi, method: str, path: str) -> None:
    """The key is checked before parameters and body, so the response does not say what else is wrong."""
    answers = [
        httpx.request(method, closed.url + path, headers=headers, params={"k": "x", "limit": "x"}, content=b"{")
        for headers in (
            {},
            {"authorization": "Bearer"},
            {"authorization": f"Bearer pt_{'0' * 16}_{'A' * 43}"},
            {"authorization": "Basic cHQ6cHQ="},
            {"x-api-key": "pt_"},
        )
    ]
    for answer in answers:
        assert problem(answer) == (401, "unauthenticated")
        assert answer.json()["detail"] == UNAUTHENTICATED
        assert answer.headers["www-authenticate"] == "Bearer"
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("held", [{Scope.SEARCH}, {Scope.WRITE}, {Scope.ADMIN}], ids=str)
def test_a_call_requires_its_scopes(closed: ClosedApi, held: set[Scope]) -> None:
    with closed.client(closed.key(*held, collections=["t-scopes"])) as client:
        for (method, path), needed in CALLS.items():
            allowed = Scope.ADMIN in held or needed <= held
            answer = client.request(method, path)
            assert (answer.status_code != 403) is allowed, (method, path, answer.text)
            assert answer.status_code != 401
            if not allowed:
                assert "lack the scope" in answer.json()["detail"]


def test_either_header_carries_the_key(closed: ClosedApi) -> None:
    key = closed.key(Scope.SEARCH, collections=["t-headers"])
    for headers in ({"Authorization": f"bearer {key}"}, {"X-Api-Key": key}):
        answer = httpx.get(f"{closed.url}/v1/stats", headers=headers)
        assert (answer.status_code, answer.json()["collection"]) == (200, "t-headers")
    assert httpx.get(f"{closed.url}/v1/stats", params={"key": key}).status_code == 401


def test_a_rate_limited_key_is_told_when_to_retry(closed: ClosedApi) -> None:
    key = closed.key(Scope.SEARCH, collections=["t-limits"], per_minute=1)
    with closed.client(key) as client:
        answers = [client.get("/v1/stats") for _ in range(3)]  # two of them are within one minute
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert problem(refused) == (429, "rate-limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_a_revoked_key_is_answered_like_a_missing_one(closed: ClosedApi) -> None:
    key = closed.key(Scope.ADMIN)
    closed.keys.revoke(key.split("_")[1])
    with closed.client(key) as client:
        assert client.get("/v1/stats").content == httpx.get(f"{closed.url}/v1/stats").content


def test_an_upload_is_bound_to_the_collection_of_the_key(closed: ClosedApi) -> None:
    """The signed policy binds it: S3 refuses any other key, type or size."""
    wanted = {"filename": "a.png", "content_type": "image/png"}
    with closed.client(closed.key(Scope.WRITE, collections=["t-bound"])) as client:
        form = client.post("/v1/uploads", json=wanted).json()
        assert problem(client.post("/v1/uploads", json=wanted | {"collection": "t-other"})) == (403, "forbidden")
        assert problem(client.post("/v1/uploads", json=wanted | {"collection": "default"})) == (403, "forbidden")
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    key = f"uploads/t-bound/{form['upload_id']}"
    assert form["fields"]["key"] == key
    assert {"key": key} in policy["conditions"]
    assert {"Content-Type": "image/png"} in policy["conditions"]
    assert ["content-length-range", 1, MAX_UPLOAD_BYTES] in policy["conditions"]
    assert not [entry for entry in policy["conditions"] if isinstance(entry, list) and entry[0] == "starts-with"]


def test_a_link_is_bound_to_an_object_in_the_collection_of_the_key(closed: ClosedApi, running: PicTrace) -> None:
    """Although two collections have the same bytes, each key's links lead to the objects of its own collection."""
    for name in ("t-bound", "t-other"):
        running.add(noise(7101), collection=name)
    image_id = hashlib.sha256(noise(7101)).hexdigest()
    for name in ("t-bound", "t-other"):
        with closed.client(closed.key(Scope.SEARCH, collections=[name])) as client:
            for path, folder in [
                (f"/v1/images/{image_id}/content", "uploads"),
                (f"/v1/images/{image_id}/thumbnail", "thumbnails"),
                (f"/uploads/{image_id}.jpg", "uploads"),
            ]:
                where = urlsplit(client.get(path).headers["location"])
                assert re.search(rf"/{folder}/{name}/[^/]+$", unquote(where.path)), path
                assert "X-Amz-Signature=" in where.query


def test_a_key_for_several_collections_must_name_one_or_include_the_default(closed: ClosedApi) -> None:
    with closed.client(closed.key(Scope.SEARCH, collections=["t-a", "t-b"])) as client:
        refused = client.get("/v1/stats")
        assert problem(refused) == (422, "invalid-request")
        assert "t-a, t-b" in refused.json()["detail"]
        assert client.get("/v1/stats", params={"collection": "t-b"}).json()["collection"] == "t-b"
    with closed.client(closed.key(Scope.SEARCH, collections=["t-a", "default"])) as client:
        assert client.get("/v1/stats").json()["collection"] == "default"


class TestHeaders:
    """The security headers of every response."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/"),
            ("GET", "/static/app.js"),
            ("GET", "/docs"),
            ("GET", "/openapi.json"),
            ("GET", "/static-offline-docs/swagger-ui-bundle.js"),
            ("GET", "/health"),
            ("GET", "/v1/stats"),
            ("GET", "/nothing"),
            ("PUT", "/v1/images"),
            ("POST", "/v1/search"),
        ],
    )
    def test_every_response_has_the_security_headers_and_no_cors_headers(
        self, closed: ClosedApi, method: str, path: str
    ) -> None:
        answer = httpx.request(method, closed.url + path, headers={"Origin": "https://example.org"})
        for name in set(SECURITY_HEADERS) - {"Content-Security-Policy", "Cache-Control"}:
            assert answer.headers[name] == SECURITY_HEADERS[name], name
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        preflight = httpx.options(
            closed.url + path,
            headers={"Origin": "https://example.org", "Access-Control-Request-Method": method},
        )
        assert not [name for name in preflight.headers if name.startswith("access-control-")]

    def test_the_pages_policy_allows_only_its_own_files_to_run(self, closed: ClosedApi) -> None:
        page = httpx.get(closed.url)
        policy = directives(page)
        assert policy["script-src"] == "'self'"
        assert policy["style-src"] == "'self'"
        assert policy["form-action"] == policy["base-uri"] == policy["default-src"] == "'none'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert not re.search(r"unsafe|\*|https:(?!//)", page.headers["content-security-policy"])
        assert not re.findall(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|javascript:", page.text)

    def test_swagger_uis_policy_allows_only_its_one_script(self, closed: ClosedApi) -> None:
        page = httpx.get(f"{closed.url}/docs")
        [script] = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert directives(page)["script-src"] == f"'self' 'sha256-{digest}'"
        assert "unsafe-eval" not in page.headers["content-security-policy"]

    def test_responses_with_data_are_not_cached(self, closed: ClosedApi) -> None:
        with closed.client(closed.key(Scope.SEARCH, collections=["t-cache"])) as client:
            assert client.get("/v1/stats").headers["cache-control"] == "no-store"


def directives(page: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in page.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


class TestTokens:
    """The API with a JWT issuer, where API Gateway verifies the token and passes on its claims."""

    @pytest.fixture
    def gateway(self, running: PicTrace) -> Any:
        settings = replace(ApiSettings.from_environ(os.environ), access=Access.JWT)
        handle = Mangum(create_app(deployed_services(settings)), lifespan="off")

        def call(claims: dict[str, Any] | None, method: str = "GET", path: str = "/v1/stats", **headers: str) -> Any:
            event = http_event(method, path, headers=headers)
            if claims is not None:
                event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
            context: Any = FunctionContext("api")
            answer = handle(event, context)
            body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
            return answer["statusCode"], json.loads(body)

        return call

    @pytest.mark.parametrize(
        ("claims", "collection"),
        [
            ({"scope": "openid pictrace/search", "pictrace_collections": "t-cats"}, "t-cats"),
            ({"scope": "pictrace/admin", "pictrace_collections": "[t-cats]"}, "t-cats"),
            ({"scp": "[pictrace/search other]", "pictrace_collections": "*"}, "default"),
        ],
    )
    def test_claims_set_scopes_and_collections(self, gateway: Any, claims: dict[str, str], collection: str) -> None:
        status, body = gateway({"sub": "someone", **claims})
        assert (status, body["collection"]) == (200, collection)

    @pytest.mark.parametrize(
        "claims",
        [
            {},
            {"scope": "search admin", "pictrace_collections": "*"},
            {"scope": "pictrace/write", "pictrace_collections": "*"},
            {"scope": "pictrace/searching", "pictrace_collections": "*"},
            {"scope": "pictrace/search"},
            {"scope": "pictrace/search", "pictrace_collections": ""},
            {"scope": "pictrace/search", "pictrace_collections": "../x"},
        ],
    )
    def test_a_token_without_the_claims_is_refused(self, gateway: Any, claims: dict[str, str]) -> None:
        assert gateway({"sub": "someone", **claims})[0] == 403
        if "pictrace/" not in claims.get("scope", ""):
            assert gateway({"sub": "someone", **claims}, path=f"/v1/uploads/{'0' * 32}")[0] == 403

    def test_a_request_that_bypassed_the_authorizer_is_refused(self, gateway: Any, closed: ClosedApi) -> None:
        key = closed.key(Scope.ADMIN)
        forged = base64.urlsafe_b64encode(b'{"scope": "pictrace/admin", "pictrace_collections": "*"}').decode()
        for headers in ({}, {"authorization": f"Bearer {key}"}, {"authorization": f"Bearer e30.{forged}.e30"}):
            assert gateway(None, **headers)[0] == 401

    def test_no_spelling_of_a_public_path_reaches_data(self, gateway: Any) -> None:
        """API Gateway admits the paths of `PUBLIC` without a token; the function must interpret them identically."""
        for path in (
            "/static/../v1/stats",
            "/static//v1/stats",
            "/static/%2e%2e/v1/stats",
            "/docs/../v1/stats",
            "//v1/stats",
        ):
            assert gateway(None, path=path)[0] in {401, 404}, path
