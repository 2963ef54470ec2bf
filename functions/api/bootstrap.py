"""Build the application of the api function from its settings, once per process."""

import os
from functools import cache

from fastapi import FastAPI

from functions.api.app import create_app
from functions.api.services import Services
from shared.settings import ApiSettings


@cache
def application() -> FastAPI:
    return create_app(Services(ApiSettings.from_environ(os.environ)))
