"""How often altered copies find their originals, by PicTrace and by alternatives: `make bench-quality DATA=folder`."""

import argparse
import json
import time
from pathlib import Path

from bench.quality import report
from bench.quality.alterations import ALTERATIONS
from bench.quality.collection import SEED, images, indexed
from bench.quality.runner import Asked, asked
from shared.vision.embedding import Embedder

REPORT_EVERY = 20
"""Number of images after which the results so far are written."""
RESULTS = Path(__file__).parents[1] / "results"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("folder", type=Path, help="images, or sub-folders that each group images of one thing")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--queries", type=int, default=200, help="number of images that are altered and searched for")
    parser.add_argument("--everything", type=int, default=4, help="number of those that slow methods search for too")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for quality.md, quality.json and quality.svg")
    wanted = parser.parse_args()
    started = time.perf_counter()
    embedder = Embedder(wanted.model_dir)
    originals = indexed(images(wanted.folder), embedder)
    queries = min(wanted.queries, len(originals))
    for done, found in enumerate(asked(originals, wanted.model_dir, queries, wanted.everything, wanted.processes), 1):
        if done == queries or done % REPORT_EVERY == 0:
            about = {
                "images": f"{len(originals):,}, of which {done:,} are altered and asked for, "
                f"in {len(ALTERATIONS)} ways",
                "model": embedder.model_id,
                "seed": f"{SEED}",
                "the slow methods, `classic`, `fast` and `thorough`": f"asked for copies of {wanted.everything}",
                "made by": f"make bench-quality, in {(time.perf_counter() - started) / 60:.0f} minutes",
            }
            write(wanted.out, found, about)
    print((wanted.out / "quality.md").read_text(encoding="utf-8"))


def write(out: Path, found: Asked, about: dict[str, str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "quality.md").write_text(report.markdown(found, about), encoding="utf-8")
    summarised = report.summary(found)
    figures = json.dumps({"about": about, **summarised}, indent=1)
    (out / "quality.json").write_text(figures + "\n", encoding="utf-8")
    report.plot(summarised, out / "quality.svg")


if __name__ == "__main__":
    main()
