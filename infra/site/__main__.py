"""Build the documentation as a site that needs no network: `make docs`, or `python -m infra.site --out FOLDER`."""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from infra.site import api_pages, navigation, python_pages, sources

CONFIGURATION: Final = Path(__file__).with_name("zensical.toml")
WORKER: Final = Path(__file__).with_name("iframe_worker.js")
SHIM: Final = "https://unpkg.com/iframe-worker/shim"


def build(out: Path, work: Path) -> int:
    """Build the site in `out`; `work` is a folder for the gathered pages."""
    shutil.rmtree(work, ignore_errors=True)
    pages = work / "pages"
    pages.mkdir(parents=True)
    sources.gather(pages)
    api_pages.write(pages)
    python_pages.write(pages)
    configuration = CONFIGURATION.read_text(encoding="utf-8")
    listed = navigation.as_toml(navigation.sections(pages))
    (work / "zensical.toml").write_text(
        configuration.replace("[project]\n", f"[project]\n{listed}", 1), encoding="utf-8"
    )
    generator = Path(sys.executable).with_name("zensical")
    done = subprocess.run([generator, "build", "--strict", "--clean"], cwd=work, check=False)
    if done.returncode == 0:
        _bundle_worker(work / "site")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(work / "site", out)
    return done.returncode


def _bundle_worker(site: Path) -> None:
    """Have pages load the site's own copy of what makes the search work from files, without a server."""
    place = site / "assets" / "javascripts" / WORKER.name
    shutil.copyfile(WORKER, place)
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(SHIM, os.path.relpath(place, page.parent)), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.site", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path(".build/site"), help="folder of the site (default: .build/site)"
    )
    wanted = parser.parse_args()
    status = build(wanted.out, wanted.out.with_name(f"{wanted.out.name}-work"))
    if status == 0:
        name = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["project"]["site_name"]
        count = len([*wanted.out.rglob("*.html")])
        print(f"{name}: {count} pages. Open {os.path.relpath(wanted.out / 'index.html')} in a browser.")
    return status


if __name__ == "__main__":
    sys.exit(main())
