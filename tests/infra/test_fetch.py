"""The fetch function's zip, layer and configuration, as far as they can be tested without AWS."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest

from infra import app
from infra.stack.fetch import SHIPPED
from shared.domain.limits import FETCH_FUNCTION_SECONDS
from tests.infra.reading import function, resources
from tests.lock_files import locked

ROOT: Final = Path(__file__).parents[2]
LAYER: Final = ROOT / "layers" / "runtime" / "requirements.lock"
LAMBDAS_OWN: Final = ("boto3", "botocore", "s3transfer", "python-dateutil", "six", "urllib3")
"""The packages that Lambda's Python runtime includes without a layer."""

PROGRAM: Final = """
import json, os, sys
code, packages = sys.argv[1:]
sys.path[:0] = [code, packages]
os.environ.update(PICTRACE_BUCKET="b", AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="x",
                  AWS_SECRET_ACCESS_KEY="x", POWERTOOLS_LOG_LEVEL="CRITICAL", POWERTOOLS_TRACE_DISABLED="true")
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = tenant_id = "x"
from functions.fetch.handler import handler
url = {"url": "http://127.0.0.1:80/"}
print(json.dumps([handler(url, Context()), handler(url | {"key": "signatures/a"}, Context())]))
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the contents of the zip."""
    folder = tmp_path_factory.mktemp("out")
    app.synthesise(folder)
    (asset,) = [found for found in folder.glob("asset.*") if (found / "functions" / "fetch").is_dir()]
    return asset


def packages(folder: Path) -> Path:
    """A folder with only those installed packages that Lambda would have."""
    folder.mkdir()
    layer = [one.name for one in locked(LAYER) if one.applies()]
    for name in (*layer, *LAMBDAS_OWN):
        for file in metadata.files(name) or []:
            top = file.parts[0]
            if not top.startswith(".") and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(metadata.distribution(name).locate_file(top))))
    return folder


def test_the_handler_runs_with_only_the_zip_and_the_layer(code: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(code), str(packages(tmp_path / "packages"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    inside, elsewhere = json.loads(done.stdout.splitlines()[-1])
    assert (inside["status"], inside["code"], inside["cause"]) == ("refused", "unfetchable", "not_public")
    assert (elsewhere["status"], elsewhere["code"]) == ("refused", "bad_request")


def test_the_zip_contains_only_the_fetch_function(code: Path) -> None:
    assert {path.name for path in (code / "functions").iterdir()} == {"__init__.py", "fetch"}
    assert {path.name for path in code.iterdir()} == {"functions", "shared"}
    assert all((code / path).exists() for path in SHIPPED)
    assert not (code / "shared" / "vision").exists()


def test_the_function_runs_outside_any_vpc(document: dict[str, Any]) -> None:
    """Without a VPC it can reach no private network, and it has no public URL."""
    fetch = function(document, "fetch")
    assert "VpcConfig" not in fetch
    assert fetch["Timeout"] == FETCH_FUNCTION_SECONDS
    assert fetch["Architectures"] == ["arm64"]
    assert set(fetch["Environment"]["Variables"]) == {
        "PICTRACE_BUCKET",
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_SERVICE_NAME",
    }
    assert not resources(document, "AWS::Lambda::Url")
    assert not any("Fetching" in name for name in resources(document, "AWS::Lambda::Permission"))


def test_the_layer_is_built_for_the_functions_processor(code: Path) -> None:
    described = json.loads(next(code.parent.glob("*.assets.json")).read_text(encoding="utf-8"))
    (command,) = [
        file["source"]["executable"] for file in described["files"].values() if "executable" in file["source"]
    ]
    assert command[1:] == ["-m", "layers.runtime.build", "--architecture", "arm64"]
