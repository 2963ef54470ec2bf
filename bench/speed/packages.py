"""The packages in the functions' image: their sizes, and which function imports them."""

import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from bench.speed import shipped
from bench.speed.report import Part
from bench.speed.runtime_api import ROOT
from layers.wheels import PYTHON, install, prune
from shared.domain.limits import MIB

REQUIREMENTS: Final = {
    "image": shipped.REQUIREMENTS,
    "layer": ROOT / "layers" / "runtime" / "requirements.lock",
}
ARCHITECTURE: Final = "x86_64"
"""The libraries of arm64 are the same."""
IMPORTS: Final = {
    "api": "import functions.api.handler, functions.api.bootstrap; from ai_edge_litert.interpreter import Interpreter",
    "ingest": "import functions.ingest.handler; from ai_edge_litert.interpreter import Interpreter",
}


def measure(model_dir: Path) -> Part | None:
    """Install the packages in a temporary folder and measure them; return None if that fails."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        if not _install(REQUIREMENTS["image"], target / "image") or not _install(
            REQUIREMENTS["layer"], target / "layer"
        ):
            return None
        prune(target / "image", shipped.PRUNED)
        found = {found.name: found for found in distributions(path=[str(target / "image")])}
        sizes = {name: _size(one) for name, one in found.items()}
        used = {function: _imported(code) for function, code in IMPORTS.items()}
        modules = {name: _modules(one) for name, one in found.items()}
        whole, layer = _tree(target / "image"), _tree(target / "layer")
    rows = [
        (name, f"{size / MIB:.1f}", *("yes" if modules[name] & used[function] else "no" for function in IMPORTS))
        for name, size in sorted(sizes.items(), key=lambda entry: -entry[1])
        if size > MIB / 10
    ]
    small = [size for size in sizes.values() if size <= MIB / 10]
    model = _tree(model_dir)
    return Part(
        "Packages",
        ("library", "MB unzipped", *(f"{function} imports it" for function in IMPORTS)),
        [
            *rows,
            (f"{len(small)} smaller ones", f"{sum(small) / MIB:.1f}", "", ""),
            ("**all**", f"**{whole / MIB:.0f}**", "", ""),
            ("the model", f"{model / MIB:.0f}", "", ""),
        ],
        (),
        (
            f"`functions/requirements.lock` without `functions/prune.txt`, for Python {PYTHON} on Linux, without "
            "bytecode. The zip functions' layer "
            f"(`layers/runtime`) has {layer / MIB:.1f} MB.",
        ),
        {"image_mb": whole / MIB, "layer_mb": layer / MIB, "model_mb": model / MIB},
    )


def _install(requirements: Path, target: Path) -> bool:
    try:
        install(requirements, target, ARCHITECTURE)
    except subprocess.CalledProcessError:
        print("the packages are left out: pip could not install them", file=sys.stderr)
        return False
    return True


def _size(distribution: Distribution) -> int:
    located = [Path(str(distribution.locate_file(path))) for path in distribution.files or ()]
    return sum(path.stat().st_size for path in located if path.is_file())


def _tree(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _modules(distribution: Distribution) -> set[str]:
    tops = {
        path.parts[0].removesuffix(".py") for path in distribution.files or () if not path.parts[0].endswith(".pth")
    }
    return {top.split(".")[0] for top in tops if not top.endswith((".dist-info", ".libs")) and top != ".."}


def _imported(code: str) -> set[str]:
    """Return the top-level modules that a function's process imports."""
    program = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())
