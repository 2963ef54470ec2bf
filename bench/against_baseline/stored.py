"""Searches where thousands of images are stored: both builds are filled past HTTP, with the same photographs.

Photographs come in as any do; the vectors of the other images are mixed from theirs (`bench.embedded_scale.mixing`).
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.against_baseline.builds import Build, Running, running
from bench.embedded_scale.folders import fill
from bench.embedded_scale.made import Photographs, described
from infra.local.data_folder import DataFolder

NOVEMBER: Final = Path(__file__).with_name("november.py")
PHOTOGRAPHS: Final = 100
"""Of a collection; the other images are made from these."""


@contextmanager
def filled(baseline: Build, today: Build, photographs: Sequence[bytes], images: int) -> Iterator[list[Running]]:
    """Run both builds over so many stored images until the end of the context."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pictures = folder / "photographs"
        pictures.mkdir()
        for number, data in enumerate(photographs):
            (pictures / f"{number:04}.jpg").write_bytes(data)
        known = described(pictures, len(photographs), today.model_dir)
        every = sorted([*known.stored, *known.unknown, *known.mixed], key=lambda one: one.image.record.filename or "")
        kept = DataFolder(folder / "data", is_new=False)
        fill(kept, Photographs(every, [], every), images)
        november = (str(NOVEMBER), "--photographs", str(pictures), "--images", str(images))
        builds = (replace(baseline, program=november), replace(today, arguments=("--data", str(kept.path))))
        yield [stack.enter_context(running(build)) for build in builds]
