"""Routes whose modules are imported once they are called."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from functions.api import deferred_routes
from functions.api.deferred_routes import PATHS, DeferredRoutes

ROUTES = Path(deferred_routes.__file__).parent / "routes"
AT_ONCE = {"uploads", "images", "search", "hashes", "meta", "web"}
SCHEMAS_AT_ONCE = {"bodies", "common", "images", "searches", "service", "uploads"}


def test_every_module_of_routes_is_added_at_once_or_deferred() -> None:
    modules = {path.stem for path in ROUTES.glob("*.py")} - {"__init__"}
    assert AT_ONCE | PATHS.keys() == modules
    assert not AT_ONCE & PATHS.keys()


@pytest.mark.parametrize("module", PATHS)
def test_the_paths_of_a_deferred_module_begin_as_stated(module: str) -> None:
    paths = [route.path for route in _routes(module)]
    assert paths
    without_slash = [path.rstrip("/") for path in paths]  # which is redirected to the path
    assert [path for path in without_slash if not path.startswith(PATHS[module])] == []
    assert [start for start in PATHS[module] if not any(path.startswith(start) for path in paths)] == []


def test_routes_are_added_once_when_a_path_of_theirs_is_called() -> None:
    routes = list[object]()
    deferred = DeferredRoutes(routes)  # type: ignore[arg-type]
    deferred.add_for("/v1/search")
    assert routes == []
    deferred.add_for("/v1/tags")
    assert [route.path for route in routes] == ["/v1/tags"]  # type: ignore[attr-defined]
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


def _routes(module: str) -> list[APIRoute]:
    found: list[APIRoute] = import_module(f"functions.api.routes.{module}").router.routes
    return found
