"""Build what a release consists of: `make release`, or `python -m infra.release --out FOLDER`.

The wheel of the client, the OpenAPI document, a bill of materials of all that is shipped, and their checksums.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.version import VERSION

ROOT: Final = Path(__file__).resolve().parents[1]
SHIPPED: Final = {
    "functions": "functions/requirements.lock",
    "layer": "layers/runtime/requirements.lock",
    "local-run": "requirements.lock",
}
"""The lock file of each part that is deployed or run."""


def problems(changelog: str, status: str, version: str = VERSION) -> Iterator[str]:
    """Say what keeps this version from being released.

    Args:
        changelog: the text of CHANGELOG.md.
        status: what `git status --porcelain` prints.
    """
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)
    if not newest or newest[1] != version:
        yield f"CHANGELOG.md has no dated section for {version}, the version in shared/version.py."
    unreleased = changelog.partition("## [Unreleased]")[2].partition("\n## [")[0].strip()
    if unreleased:
        yield "CHANGELOG.md still has entries under Unreleased."
    if status.strip():
        yield "There are changes that are not committed."


def build(out: Path, sbom_tool: Path) -> list[Path]:
    """Build every file of the release in `out`, and return them.

    Raises:
        CalledProcessError: a tool failed; it has said why.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    when = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": when.stdout.strip()}
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    wheel += ["--no-build-isolation", "--wheel-dir", str(out), str(ROOT / "clients" / "python")]
    subprocess.run(wheel, env=environment, check=True)
    shutil.copyfile(ROOT / "docs" / "reference" / "openapi.json", out / f"pictrace-{VERSION}-openapi.json")
    for part, lock in SHIPPED.items():
        target = out / f"pictrace-{VERSION}-{part}.cdx.json"
        command = [
            str(sbom_tool),
            "requirements",
            "--output-reproducible",
            "--output-file",
            str(target),
            str(ROOT / lock),
        ]
        subprocess.run(command, check=True)
    files = sorted(out.iterdir())
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return [*files, out / "SHA256SUMS"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.release", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".build/release"), help="folder (default: .build/release)")
    parser.add_argument("--sbom-tool", type=Path, default=Path(".venv-release/bin/cyclonedx-py"), help="cyclonedx-py")
    parser.add_argument("--trial", action="store_true", help="build even if this version cannot be released")
    wanted = parser.parse_args()
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    status = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = list(problems(changelog, status.stdout))
    for problem in found:
        print(f"pictrace: {problem}", file=sys.stderr)
    if found and not wanted.trial:
        return 1
    for path in build(wanted.out, wanted.sbom_tool.resolve()):
        print(f"{path.stat().st_size:>11,}  {path}")
    print(f"Then: git tag --sign v{VERSION}, and the rest of RELEASING.md.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
