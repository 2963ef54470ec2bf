"""The stack, synthesised once for all tests."""

from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra import app


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The template with the settings in `cdk.json`."""
    return app.template()


@pytest.fixture(scope="session")
def template(document: dict[str, Any]) -> Template:
    return Template.from_json(document)
