"""Routes whose modules are imported once they are called."""

import fnmatch
import subprocess
import sys
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from functions.api import deferred_routes
from functions.api.deferred_routes import PATHS, DeferredRoutes

ROUTES = Path(deferred_routes.__file__).parent / "routes"
AT_ONCE = {"uploads", "images", "meta", "web"}
SCHEMAS_AT_ONCE = {"common", "images", "searches", "service", "uploads"}


def test_every_module_of_routes_is_added_at_once_or_deferred() -> None:
    modules = {path.stem for path in ROUTES.glob("*.py")} - {"__init__"}
    assert AT_ONCE | PATHS.keys() == modules
    assert not AT_ONCE & PATHS.keys()


@pytest.mark.parametrize("module", PATHS)
def test_the_paths_of_a_deferred_module_are_as_stated(module: str) -> None:
    paths = [route.path for route in _routes(module)]
    assert paths
    for path in {each.rstrip("/") for each in paths}:
        for called in (path, f"{path}/"):  # one is redirected to the other
            assert any(fnmatchcase(called, pattern) for pattern in PATHS[module]), called
    assert [pattern for pattern in PATHS[module] if not fnmatch.filter(paths, pattern)] == []


@pytest.mark.parametrize("path", ["/v1/images", "/v1/images/0a", "/v1/images/0a/thumbnail", "/v1/stats", "/"])
def test_a_view_of_the_page_needs_none_of_them(path: str) -> None:
    routes = list[BaseRoute]()
    DeferredRoutes(routes).add_for(path)
    assert routes == []


def test_routes_are_added_once_when_a_path_of_theirs_is_called() -> None:
    routes = list[BaseRoute]()
    deferred = DeferredRoutes(routes)
    deferred.add_for("/v1/tags")
    assert routes == _routes("tags")
    deferred.add_for("/v1/tags")
    deferred.add_all()
    deferred.add_all()
    assert len(routes) == len({id(route) for route in routes}) == sum(len(_routes(module)) for module in PATHS)


def test_a_new_process_of_the_function_imports_none_of_them() -> None:
    code = "import sys, functions.api.handler; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    imported = [name.rpartition(".") for name in printed.split()]
    assert {name for package, _, name in imported if package == "functions.api.routes"} == AT_ONCE
    assert {name for package, _, name in imported if package == "functions.api.schemas"} == SCHEMAS_AT_ONCE
    assert "shared.search.searcher" not in printed
    assert "shared.vision.signature" not in printed


def _routes(module: str) -> list[APIRoute]:
    found: list[APIRoute] = import_module(f"functions.api.routes.{module}").router.routes
    return found
