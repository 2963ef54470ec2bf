"""A cold start imports only the packages that it needs."""

import subprocess
import sys

PROGRAM = """
import json, os, pathlib, sys, tempfile
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "model.json").write_text(json.dumps({"id": "m", "has_labels": False}))
os.environ.update(PICTRACE_BUCKET="b", PICTRACE_TABLE="t", PICTRACE_MODEL_DIR=str(folder), PICTRACE_ACCESS="keys",
                  PICTRACE_FETCH_FUNCTION="f", PICTRACE_QUEUE="q", PICTRACE_PEOPLE_QUEUE="p",
                  PICTRACE_TRASH_DAYS="30",
                  AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")
from fastapi.testclient import TestClient
from functions.api.bootstrap import application
assert TestClient(application()).get("/health").json()["status"] == "ok"
heavy = ("ai_edge_litert", "tensorflow", "skimage", "moto", "aws_cdk", "PIL", "imagecodecs", "pi_heif", "tifffile")
print(sorted(name for name in heavy if name in sys.modules))
"""


def test_health_loads_neither_the_model_nor_a_decoder() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
