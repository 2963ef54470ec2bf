"""Settings to services to the application, once a process."""

import os
from functools import cache

from fastapi import FastAPI

from functions.api.app import create_app
from functions.api.services import Services
from shared.settings import ApiSettings


@cache
def application() -> FastAPI:
    return create_app(Services(ApiSettings.from_environ(os.environ)))
