"""The functions' handlers in this process, called and restarted as Lambda would."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from functions.api import bootstrap as api_bootstrap
from functions.api import handler as api_handler
from functions.fetch import bootstrap as fetch_bootstrap
from functions.fetch import handler as fetch_handler
from functions.ingest import bootstrap as ingest_bootstrap
from functions.ingest import handler as ingest_handler
from functions.ingest import processing


def ingest(event: dict[str, Any], context: Any) -> Any:
    """Call the ingest function, and discard its metrics.

    Powertools prints them in batches of a hundred, even if metrics are disabled, unless they are cleared.
    """
    try:
        return ingest_handler.handler(event, context)
    finally:
        processing.metrics.clear_metrics()


def ingest_with(threads: ThreadPoolExecutor, event: dict[str, Any], context: Any) -> Any:
    """Call the ingest function with the given threads instead of its own."""
    own, ingest_handler._threads = ingest_handler._threads, threads
    try:
        return ingest(event, context)
    finally:
        ingest_handler._threads = own


def api(event: dict[str, Any], context: Any) -> Any:
    """Call the api function with an API Gateway event."""
    return api_handler.handler(event, context)


def fetch(event: Any, context: Any) -> Any:
    """Call the fetch function and discard its metrics."""
    try:
        return fetch_handler.handler(event, context)
    finally:
        fetch_handler.metrics.clear_metrics()


def reset_environments() -> None:
    """Make each function initialise again at its next call, as after new environment variables or a long idle time."""
    api_bootstrap.application.cache_clear()
    ingest_bootstrap.reset()
    fetch_bootstrap.image_fetcher.cache_clear()
