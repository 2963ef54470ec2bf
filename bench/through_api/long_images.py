"""Whether parts of panoramas and scrolling screenshots find them: `python -m bench.through_api.long_images`.

Panoramas of 6:1 to 20:1 are joined from photographs, and pages and chats of 1080 x 6000 to 1080 x 20000 are drawn, two
of each style. They are stored in a local run beside other photographs. Then parts of each are searched for: what one
screen shows, or 4:3 of a panorama's height, at three places, as a JPEG and as a JPEG of half the size.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from bench.negatives.canvas import Canvas, Content, Style
from bench.through_api.local_run import local_run
from shared.vision.decode.decoders import decode_in_process
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest

ROOT: Final = Path(__file__).resolve().parents[2]
DATA: Final = Path(os.environ.get("PICTRACE_EVAL_DATA", ROOT.parent / "shared")) / "eval" / "photos"
REPORT: Final = ROOT / "bench" / "results" / "long_images.md"
TITLE: Final = "# Parts of panoramas and scrolling screenshots\n"
SEEDS: Final = (20261129, 20261130)
"""Of the set that limits were chosen by, and of the one kept back."""
RATIOS: Final = (6, 8, 10, 12, 14, 16, 18, 20)
HEIGHT: Final = 480
SEAM: Final = 48
"""Pixels over which two neighbouring photographs of a panorama fade into each other."""
WIDTH: Final = 1080
SCREEN: Final = 2160
PLACES: Final = (0.0, 0.42, 0.87)
FORMS: Final = {"JPEG": 1.0, "half the size": 0.5}
FOUND: Final = ("identical", "near-duplicate")
LIKE: Final = (*FOUND, "variant", "similar")


@dataclass(frozen=True, slots=True)
class Long:
    """A long image.

    Attributes:
        part: length in pixels of what a part shows of its longest side.
    """

    kind: str
    rgb: Pixels
    part: int

    def parts(self) -> Iterator[tuple[str, bytes]]:
        across = self.rgb.shape[1] > self.rgb.shape[0]
        for place in PLACES:
            start = round(place * (max(self.rgb.shape[:2]) - self.part))
            window = slice(start, start + self.part)
            seen = self.rgb[:, window] if across else self.rgb[window]
            for form, scale in FORMS.items():
                yield f"{form}, at {place:.0%}", jpeg(resize_longest(seen, round(max(seen.shape[:2]) * scale)), 80)


def jpeg(rgb: Pixels, quality: int = 90) -> bytes:
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png(rgb: Pixels) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(rgb[:, :, ::-1]))[1].tobytes()


def photograph(path: Path) -> Pixels:
    return decode_in_process(path.read_bytes()).rgb


def panorama(ratio: int, photographs: Iterator[Path]) -> Long:
    """Return photographs side by side, each fading into the next."""
    whole = np.zeros((HEIGHT, 0, 3), np.float32)
    fade = np.linspace(0, 1, SEAM, dtype=np.float32)[None, :, None]
    while whole.shape[1] < ratio * HEIGHT:
        photo = photograph(next(photographs))
        width = max(2 * SEAM, round(photo.shape[1] * HEIGHT / photo.shape[0]))
        photo = cv2.resize(photo, (width, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        if whole.shape[1]:
            photo[:, :SEAM] = whole[:, -SEAM:] * (1 - fade) + photo[:, :SEAM] * fade
            whole = whole[:, :-SEAM]
        whole = np.concatenate([whole, photo], axis=1)
    rgb = np.clip(whole[:, : ratio * HEIGHT], 0, 255).astype(np.uint8)
    return Long("panorama", rgb, HEIGHT * 4 // 3)


def page(style: Style, content: Content, height: int, photographs: Iterator[Path]) -> Long:
    """Draw an article with headings, paragraphs and photographs."""
    screen = Canvas(WIDTH, height, style.ground)
    screen.box(0, 0, WIDTH, 150, style.accent)
    screen.text(60, 45, style.title, style.heading, 56, (255, 255, 255))
    y = 200.0
    while y < height:
        screen.text(60, y, content.words(3, 5).title()[:34], style.heading, 48, style.ink)
        y += 80
        for _ in range(content.whole(4, 12)):
            screen.text(60, y, content.words(8, 10)[:58], style.body, 30, style.ink)
            y += 46
        y += 30
        if content.share() < 0.4:
            photo = photograph(next(photographs))
            tall = round(960 * photo.shape[0] / photo.shape[1])
            shown = cv2.resize(photo, (960, tall), interpolation=cv2.INTER_CUBIC)
            screen.image.paste(Image.fromarray(shown), (60, round(y)))
            y += tall + 40
    return Long("page", screen.pixels(), SCREEN)


def chat(style: Style, content: Content, height: int) -> Long:
    """Draw a conversation of text alone."""
    screen = Canvas(WIDTH, height, style.ground)
    screen.box(0, 0, WIDTH, 180, style.accent)
    screen.text(60, 60, style.title, style.heading, 54, (255, 255, 255))
    bubbles = ((64, 68, 75), style.accent) if style.dark else ((226, 228, 233), (200, 240, 200))
    y = 220.0
    while y < height:
        own = content.share() < 0.5
        lines = [content.words(2, 6)[:36] for _ in range(content.whole(1, 5))]
        tall, left = len(lines) * 50 + 50, 280 if own else 40
        screen.draw.rounded_rectangle((left, y, left + 760, y + tall), 30, fill=bubbles[own])
        for row, line in enumerate(lines):
            screen.text(left + 30, y + 22 + 50 * row, line, style.body, 36, style.ink)
        y += tall + 30
    return Long("chat", screen.pixels(), SCREEN)


def long_images(seed: int, photographs: Iterator[Path]) -> list[Long]:
    rng = np.random.default_rng(seed)
    found = [panorama(ratio, photographs) for ratio in RATIOS]
    for number in range(len(RATIOS)):
        height = int(rng.integers(6000, 20001))
        found.append(page(Style((seed, number // 2)), Content((seed, 1, number)), height, photographs))
        found.append(chat(Style((seed, 9, number // 2)), Content((seed, 2, number)), int(rng.integers(6000, 20001))))
    return found


def measured(seed: int, model_dir: Path, *, talk: bool) -> Mapping[str, Mapping[str, Counter[str]]]:
    """Return, by kind and form, how many parts there are and how many found their whole."""
    every = sorted(DATA.iterdir())
    ordinary, joined = every[::2], every[1::2]
    shuffled = np.random.default_rng(seed).permutation(len(joined))
    stored = long_images(seed, (joined[index] for index in [*shuffled, *shuffled]))
    counts: dict[str, dict[str, Counter[str]]] = {}
    with tempfile.TemporaryDirectory() as name, local_run(model_dir) as running:
        folder = Path(name)
        paths = []
        for number, each in enumerate(stored):
            paths.append(folder / f"{number}.{'jpg' if each.kind == 'panorama' else 'png'}")
            paths[-1].write_bytes((jpeg if each.kind == "panorama" else png)(each.rgb))
        running.add(ordinary, "long")
        ids = running.add(paths, "long")
        for each, path in zip(stored, paths, strict=True):
            for form, data in each.parts():
                matches = running.search(data, collection="long", k=5)
                count = counts.setdefault(each.kind, {}).setdefault(form.split(",")[0], Counter())
                outcome = placed(matches, ids[path])
                count.update(outcome)
                if talk:
                    said = [(match["verdict"], round(match["score"], 3), match["orb"]["inliers"]) for match in matches]
                    print(path.name, each.kind, each.rgb.shape[1::-1], form, outcome, said[:3], flush=True)
    return counts


def placed(matches: Sequence[Mapping[str, Any]], image_id: str) -> list[str]:
    place = next((at for at, match in enumerate(matches) if match["image_id"] == image_id), None)
    found = ["parts"]
    if place is not None:
        verdict = matches[place]["verdict"]
        found += ["first, near-duplicate"] if place == 0 and verdict in FOUND else []
        found += ["first five, at least similar"] if verdict in LIKE else []
    if matches and matches[0]["image_id"] != image_id and matches[0]["verdict"] in FOUND:
        found.append("another image, near-duplicate")
    return found


def report(results: Mapping[int, Mapping[str, Mapping[str, Counter[str]]]]) -> str:
    columns = ("parts", "first, near-duplicate", "first five, at least similar", "another image, near-duplicate")
    lines = [TITLE, "Written by `python -m bench.through_api.long_images --write`.\n"]
    lines += [f"| set | kind | form | {' | '.join(columns)} |", "|---" * (3 + len(columns)) + "|"]
    for seed, kinds in results.items():
        for kind, forms in kinds.items():
            for form, count in forms.items():
                lines.append(f"| {seed} | {kind} | {form} | {' | '.join(str(count[name]) for name in columns)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", type=Path, default=ROOT / ".build" / "model")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--write", action="store_true", help=f"write {REPORT.relative_to(ROOT)}")
    arguments = parser.parse_args()
    results = {seed: measured(seed, arguments.model_dir, talk=not arguments.write) for seed in arguments.seeds}
    text = report(results)
    print(text)
    if arguments.write:
        REPORT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
