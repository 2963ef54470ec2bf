"""The CDK application as a deployer runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from infra import app
from infra.stack import security_checks
from infra.stack.settings import ContextError, Stage

ROOT: Final = Path(__file__).parents[2]


def report(outdir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((outdir / "validation-report.json").read_text(encoding="utf-8"))
    return {plugin["pluginName"]: plugin for plugin in found["pluginReports"]}


def findings(document: dict[str, Any]) -> set[str]:
    """The ids of the cfn-lint rules that the template violates."""
    return {
        match.rule.id for match in lint(json.dumps(document), config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
    }


def stage(**settings: Any) -> Stage:
    return Stage.from_context(app.default_context() | settings)


TOKENS: Final = {
    "jwt_issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc",
    "jwt_audience": "3n4b5urk1ft4fl3mg5e62d9ado",
}


SOURCES: Final = {
    "source_buckets": "photos-of-others,archive.example.org",
    "source_topics": "arn:aws:sns:eu-west-1:123456789012:photos",
    "source_keys": "arn:aws:kms:eu-west-1:123456789012:key/0f1e2d3c-0000-4000-8000-000000000001",
}


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"alarm_email": "ops@example.org", "allowed_origins": "https://example.org"} | TOKENS | SOURCES,
        {"existing_bucket": "kept", "existing_table": "Restored"},
    ],
    ids=["plain", "full", "existing"],
)
def test_the_security_checks_have_no_unacknowledged_findings(
    context: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path))
    settings = app.default_context() | context
    monkeypatch.setattr(app, "default_context", lambda: settings)
    assert app.main() == 0
    plugins = report(tmp_path)
    assert {plugin["conclusion"] for plugin in plugins.values()} == {"success"}
    found = {entry["ruleName"] for plugin in plugins.values() for entry in plugin["violations"]}
    assert found == (set() if "alarm_email" in context else {"Annotation::pictrace:alarms-notify-nobody"})
    used = {
        (place["constructPath"].removesuffix("/Resource").removesuffix("/DefaultPolicy"), entry["acknowledgedId"])
        for plugin in plugins.values()
        for entry in plugin.get("suppressedViolations", [])
        for place in entry["violatingConstructs"]
    }
    assert used == {
        (f"PicTrace-prod/{finding.where}", finding.rule)
        for finding in security_checks.acknowledged(Stage.from_context(settings))
    }


def test_an_unacknowledged_finding_fails_the_synthesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(security_checks, "OWN_BUCKET", security_checks.OWN_TABLE)
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path))
    assert app.main() == 1
    assert "infra/stack/security_checks.py" in capfd.readouterr().err
    assert [entry["ruleName"] for entry in report(tmp_path)["AwsSolutions"]["violations"]] == ["AwsSolutions-S1"]


def test_every_acknowledgement_has_a_reason() -> None:
    every = (*security_checks.acknowledged(stage()), *security_checks.WITH_TOKENS)
    assert all(len(finding.reason) > 40 for finding in every)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_cfn_lint_reports_nothing(architecture: str) -> None:
    document = app.template({"architecture": architecture, "alarm_email": "ops@example.org"})
    assert findings(document) == set()
    for resource in document["Resources"].values():
        resource.pop("Metadata", None)
    assert findings(document) == {"E3039", "W3005"}, "remove an ignored rule that has no findings any more"


def test_synthesis_needs_neither_node_on_the_path_nor_docker_nor_an_account(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "CDK_OUTDIR": str(tmp_path / "out")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "PicTrace-prod.template.json").is_file()


def test_synthesising_a_template_leaves_no_files_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert app.template({"stage": "test"})["Outputs"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("stage", "Prod", "1 to 12 lower-case letters"),
        ("stage", "a" * 13, "1 to 12 lower-case letters"),
        ("architecture", "arm", "arm64, x86_64"),
        ("ingest_memory_mb", 128, "from 512 to 10240"),
        ("api_memory_mb", "much", "a whole number"),
        ("max_concurrency", 1, "from 2 to 1000"),
        ("api_rate_per_second", 0, "from 1 to 10000"),
        ("api_burst", -1, "from 1 to 5000"),
        ("log_retention_days", 31, "7, 14, 30"),
        ("removal_policy", "keep", "retain, destroy"),
        ("allowed_origins", "*", "https://example.org"),
        ("allowed_origins", "https://*.example.org", "https://example.org"),
        ("allowed_origins", "http://example.org", "https://example.org"),
        ("allowed_origins", "https://example.org/page", "https://example.org"),
        ("alarm_email", "nobody", "an e-mail address"),
        ("source_keys", "arn:aws:kms:eu-west-1:123456789012:alias/photos", "an alias gives no right"),
        ("source_keys", "arn:aws:kms:eu-west-1:123456789012:key/0f1e2d3c", "source_buckets, which names none"),
        ("existing_bucket", "No Bucket", "a bucket's name"),
        ("existing_table", "t", "a table's name"),
        ("jwt_issuer", "http://issuer.example.org", "an https address"),
        ("jwt_issuer", "https://issuer.example.org", "go together"),
        ("jwt_audience", "two words", "one word"),
        ("jwt_audience", "pictrace", "go together"),
        ("processor", "arm64", "the settings are alarm_email"),
    ],
)
def test_an_invalid_setting_is_named_with_its_allowed_values(setting: str, value: Any, told: str) -> None:
    with pytest.raises(ContextError, match=told) as refused:
        Stage.from_context(app.default_context() | {setting: value})
    assert setting in str(refused.value)
    assert repr(value).strip("'") in str(refused.value) or "names none" in told or setting == "processor"


def test_an_invalid_setting_ends_the_command_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = app.default_context() | {"architecture": "sparc"}
    monkeypatch.setattr(app, "default_context", lambda: settings)
    assert app.main() == 1
    assert capsys.readouterr().err == "pictrace: architecture must be one of arm64, x86_64, not 'sparc'\n"


@pytest.mark.parametrize(
    ("value", "face_model"), [("", None), ("dlib-resnet", "dlib-resnet"), ("layers/faces/sface.json",) * 2]
)
def test_faces_are_embedded_by_a_known_network_or_by_a_file(value: str, face_model: str | None) -> None:
    assert stage(face_model=value).face_model == face_model


@pytest.mark.parametrize("value", ["sface", "layers/models/sface.json", "layers/faces/../sface.json"])
def test_an_embedder_is_where_the_build_of_the_image_sees_it(value: str) -> None:
    with pytest.raises(ContextError, match="face_model must be one of"):
        stage(face_model=value)


def test_localhost_and_other_origins_can_be_allowed() -> None:
    stage = Stage.from_context(
        app.default_context() | {"allowed_origins": "http://localhost:5173,https://example.org,"}
    )
    assert stage.allowed_origins == ("http://localhost:5173", "https://example.org")


def test_the_cdk_command_line_is_pinned() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert package["private"] is True
    assert package["devDependencies"] == {"aws-cdk": "2.1148.1"}
    assert locked["packages"]["node_modules/aws-cdk"]["version"] == "2.1148.1"


def test_the_page_lists_every_setting_with_its_default_and_every_finding() -> None:
    page = (ROOT / "docs" / "guides" / "deployment.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", page.split("## Settings")[1], re.MULTILINE))
    documented = {name: rows[name] for name in Stage.names()}
    assert documented == {name: str(app.default_context()[name]) or "none" for name in Stage.names()}
    for finding in (*security_checks.acknowledged(stage()), *security_checks.WITH_TOKENS):
        assert re.split("[-:]", finding.rule.split("[")[0])[-1] in page


def test_a_node_that_the_user_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSII_NODE", "/somewhere/node")
    app.use_installed_node()
    assert os.environ["JSII_NODE"] == "/somewhere/node"
