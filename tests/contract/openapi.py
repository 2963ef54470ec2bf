"""The API's OpenAPI document: `python -m tests.contract.openapi` writes docs/reference/openapi.json."""

import json
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock

from functions.api.app import create_app

KEPT: Final = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def kept() -> dict[str, Any]:
    """The committed document."""
    document: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return document


def current() -> dict[str, Any]:
    """The document of the application, which no service is asked for."""
    services = MagicMock()
    services.objects.origin = "https://bucket.s3.us-east-1.amazonaws.com"
    return create_app(services).openapi()


if __name__ == "__main__":
    KEPT.write_text(json.dumps(current(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
