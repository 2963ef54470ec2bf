"""Inject the worker's faults into the processes that it starts."""

import os

if "TEST_FAULTS" in os.environ:
    from tests.faults.worker import install

    install(os.environ["TEST_FAULTS"], os.environ["TEST_FAULTS_LOG"])
