"""Draw the pictures of docs/explanation: `python -m bench.illustrations --model-dir .build/model`.

Every number in them is computed by the code that they explain.
"""

import argparse
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from shared.vision.embedding import Embedder
from shared.vision.keypoints import LOWE_RATIO, detect
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.ranking import fit_for, measure
from shared.vision.resizing import resize_longest, resize_square
from shared.vision.signature import extract
from shared.vision.ssim import ssim, ssim_map
from shared.vision.visualization import matches_image

OUT: Final = Path(__file__).parents[1] / "docs" / "images" / "how"
WIDE: Final = 260
GREEN, RED, INK = "#2a9d5c", "#c8553d", "#333"


def photograph(name: str) -> Pixels:
    from skimage.data import data_dir

    read = cv2.imread(str(Path(data_dir) / name))
    assert read is not None
    return cv2.cvtColor(read, cv2.COLOR_BGR2RGB).astype(np.uint8)


def gray_of(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def jpeg(rgb: Pixels, quality: int) -> Pixels:
    decoded = cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.uint8)


def save(name: str, rgb: Pixels) -> None:
    cv2.imwrite(str(OUT / name), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])


def titled(rgb: Pixels, title: str) -> Pixels:
    """The image below a line of text, all `WIDE` pixels wide."""
    shown = cv2.resize(rgb, (WIDE, WIDE), interpolation=cv2.INTER_AREA)
    bar = np.full((34, WIDE, 3), 255, np.uint8)
    cv2.putText(bar, title, (4, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([bar, shown])


def heat(values: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> Pixels:
    """Red where SSIM is low, green where it is 1."""
    level = np.clip(values, 0, 1)[..., np.newaxis]
    return ((1 - level) * (200, 85, 61) + level * (42, 157, 92)).astype(np.uint8)


def draw_ssim() -> None:
    """A copy of low quality, and the same image moved by 12 pixels, each with the map of its SSIM."""
    square = resize_square(photograph("chelsea.png"), 256)
    gray = gray_of(square)
    rows = []
    for name, other in {
        "JPEG of quality 8": jpeg(square, 8),
        "moved by 12 pixels": np.roll(square, 12, axis=1),
    }.items():
        other_gray = gray_of(other)
        title = f"SSIM {ssim(gray, other_gray):.2f}"
        shown = [titled(square, "original"), titled(other, name), titled(heat(ssim_map(gray, other_gray)), title)]
        rows.append(np.hstack(shown))
    save("ssim.jpg", np.vstack(rows))


def draw_orb() -> None:
    """Keypoints; then what agrees of a turned crop before and after the geometric check."""
    cat = photograph("chelsea.png")
    gray = resize_longest(gray_of(cat), 512)
    found = detect(gray)
    shown = np.dstack([gray] * 3)
    for (x, y), scale, angle in zip(found.points[:150], found.scales[:150], found.angles[:150], strict=True):
        radius = int(6 * 1.2 ** int(scale))
        turn = angle / 256 * 2 * np.pi
        cv2.circle(shown, (int(x), int(y)), radius, (42, 157, 92), 1, cv2.LINE_AA)
        end = (int(x + radius * np.cos(turn)), int(y + radius * np.sin(turn)))
        cv2.line(shown, (int(x), int(y)), end, (200, 85, 61), 1, cv2.LINE_AA)
    save("orb-keypoints.jpg", shown)

    copy = jpeg(np.ascontiguousarray(np.rot90(cat[20:270, 60:400])), 40)
    one, other = detect(gray_of(copy)), detect(gray)
    nearest = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(one.descriptors, other.descriptors, k=2)
    close = [pair[0] for pair in nearest if pair[0].distance < LOWE_RATIO * pair[1].distance]
    drawn = cv2.drawMatches(
        resize_longest(copy, one.size[0] if one.size[0] > one.size[1] else one.size[1]),
        [cv2.KeyPoint(float(x), float(y), 1) for x, y in one.points],
        shown,
        [cv2.KeyPoint(float(x), float(y), 1) for x, y in other.points],
        close[:80],
        np.zeros((0,), np.uint8),
        matchColor=(200, 85, 61),
        flags=cv2.DrawMatchesFlags_NOT_DRAW_SINGLE_POINTS,
    )
    save("orb-nearest.jpg", drawn.astype(np.uint8))
    agree = cv2.imdecode(np.frombuffer(matches_image(copy, cat), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert agree is not None
    save("orb-agree.jpg", agree.astype(np.uint8))
    strangers = photograph("rocket.jpg")
    pairs = [
        f"{name}: {measure(extract(image), extract(cat), None).orb.inliers} agree"
        for name, image in {"copy": copy, "stranger": strangers}.items()
    ]
    print("; ".join(pairs))


def draw_features(model: Path) -> None:
    """The cosines of some images' features, as a table."""
    cat, coffee = photograph("chelsea.png"), photograph("coffee.png")
    images: dict[str, Pixels] = {
        "cat": cat,
        "its crop": jpeg(np.ascontiguousarray(cat[40:260, 80:400]), 30),
        "cat, mirrored": np.ascontiguousarray(cat[:, ::-1]),
        "coffee": coffee,
        "rocket": photograph("rocket.jpg"),
        "brick": photograph("brick.png"),
    }
    embedder = Embedder(model)
    features = np.stack([embedder.embed(image).features for image in images.values()])
    cosines = features @ features.T
    side, left, top = 62, 110, 74
    parts = []
    for row, name in enumerate(images):
        y = top + row * side
        parts.append(_text(left - 8, y + side / 2 + 5, name, "end"))
        parts.append(
            f'<g transform="translate({left + row * side + side / 2},{top - 8}) rotate(-30)">{_text(0, 0, name)}</g>'
        )
        for column, cosine in enumerate(cosines[row]):
            x = left + column * side
            opacity = max(0.04, float(cosine) ** 2)
            parts.append(
                f'<rect x="{x}" y="{y}" width="{side - 2}" height="{side - 2}" fill="{GREEN}" opacity="{opacity:.2f}"/>'
            )
            parts.append(_text(x + side / 2, y + side / 2 + 5, f"{cosine:.2f}", "middle"))
    title = f"Cosines of the features of {embedder.model_id}"
    _svg(
        "features.svg",
        left + side * len(images) + 60,
        top + side * len(images) + 30,
        [*parts, _text(left, top + side * len(images) + 20, title)],
    )


def draw_combination() -> None:
    """What each signal adds to the score of three pairs."""
    cat = photograph("chelsea.png")
    gray = gray_of(cat)
    pairs: dict[str, Pixels] = {
        "a JPEG of quality 8": jpeg(cat, 8),
        "cropped and turned": np.ascontiguousarray(np.rot90(cat[20:270, 30:400])),
        "in gray": np.dstack([gray] * 3),
        "another photograph": photograph("coffee.png"),
    }
    fit = fit_for(None)
    bars = {}
    for name, image in pairs.items():
        signals = measure(extract(image, keypoints=1500), extract(cat), None).signals()
        added = {signal: fit.weights.get(signal, 0.0) * value for signal, value in signals.items()}
        bars[name] = {
            "start": fit.intercept,
            **{signal: value for signal, value in added.items() if abs(value) >= 0.005},
        }
    _bars("combination.svg", bars)


BOXES: Final = {
    "client": (20, 150, "page, client", "or any program"),
    "gateway": (190, 60, "API Gateway", "HTTP API"),
    "api": (360, 60, "api function", "search, compare"),
    "bucket": (190, 240, "S3 bucket", "images, signatures"),
    "queue": (360, 330, "SQS queue", "and dead letters"),
    "others": (20, 420, "other services", "EventBridge, SNS"),
    "ingest": (530, 240, "ingest function", "LiteRT, OpenCV"),
    "table": (700, 60, "DynamoDB table", "and vector indexes"),
    "fetch": (530, 420, "fetch function", "public addresses"),
    "bus": (700, 330, "event bus", "Image Indexed, ..."),
}
"""The parts of a deployment: left and top of their boxes, and two lines of text."""

ARROWS: Final = (
    ("client", "gateway", "calls"),
    ("gateway", "api", ""),
    ("client", "bucket", "presigned POST"),
    ("bucket", "queue", "created"),
    ("others", "queue", ""),
    ("queue", "ingest", ""),
    ("ingest", "bucket", "signature"),
    ("ingest", "table", "record, features"),
    ("api", "table", "SearchVectors"),
    ("api", "bucket", "signatures, links"),
    ("ingest", "bus", "outcome"),
    ("ingest", "fetch", "a URL"),
)


def draw_architecture() -> None:
    """The parts of a deployment, and what passes between them."""
    wide, high = 130.0, 54.0
    head = '<path d="M0 0L9 4.5L0 9z" fill="#666"/>'
    parts = [
        f'<defs><marker id="a" markerWidth="9" markerHeight="9" refX="9" refY="4.5" orient="auto">{head}</marker>'
        "</defs>"
    ]
    for start, end, label in ARROWS:
        (x1, y1), (x2, y2) = ((BOXES[name][0] + wide / 2, BOXES[name][1] + high / 2) for name in (start, end))
        reach_start, reach_end = (
            min(wide / 2 / max(abs(x2 - x1), 1), high / 2 / max(abs(y2 - y1), 1), 0.5) for _ in (start, end)
        )
        ax, ay = x1 + (x2 - x1) * reach_start, y1 + (y2 - y1) * reach_start
        bx, by = x2 - (x2 - x1) * reach_end, y2 - (y2 - y1) * reach_end
        parts.append(
            f'<line x1="{ax:.0f}" y1="{ay:.0f}" x2="{bx:.0f}" y2="{by:.0f}" stroke="#666" marker-end="url(#a)"/>'
        )
        parts.append(_text((ax + bx) / 2, (ay + by) / 2 - 5, label, "middle"))
    for left, top, name, more in BOXES.values():
        parts.append(
            f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" rx="6" fill="#eef6f1" stroke="{GREEN}"/>'
        )
        parts.append(_text(left + wide / 2, top + 23, name, "middle", "bold"))
        parts.append(_text(left + wide / 2, top + 42, more, "middle"))
    _svg("architecture.svg", 850, 500, parts)


def _bars(name: str, bars: Mapping[str, Mapping[str, float]]) -> None:
    parts, y, zero, scale = [], 24.0, 330.0, 9.0
    for title, added in bars.items():
        total = sum(added.values())
        parts.append(_text(10, y, title, weight="bold"))
        parts.append(_text(640, y, f"sum {total:+.1f}, score {1 / (1 + np.exp(-total)):.3f}", "end"))
        for signal, value in added.items():
            y += 20
            width = abs(value) * scale
            x = zero - width if value < 0 else zero
            parts.append(_text(150, y + 5, signal, "end"))
            parts.append(
                f'<rect x="{x:.1f}" y="{y - 8}" width="{width:.1f}" height="15" fill="{RED if value < 0 else GREEN}"/>'
            )
            parts.append(_text(max(x + width, zero) + 5, y + 5, f"{value:+.2f}"))
        y += 44
    parts.append(f'<line x1="{zero}" y1="10" x2="{zero}" y2="{y - 40}" stroke="{INK}"/>')
    _svg(name, 660, y - 20, parts)


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'


def _svg(name: str, width: float, height: float, parts: Sequence[str]) -> None:
    box = f"0 0 {width:.0f} {height:.0f}"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" font-family="sans-serif" font-size="13">'
    ground = f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>'
    (OUT / name).write_text("\n".join([opening, ground, *parts, "</svg>"]) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.illustrations", description=__doc__)
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"), help="folder of the exported model")
    wanted = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    draw_ssim()
    draw_orb()
    draw_features(wanted.model_dir)
    draw_combination()
    draw_architecture()


if __name__ == "__main__":
    main()
