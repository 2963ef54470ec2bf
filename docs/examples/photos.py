"""Make the photographs of the documentation's transcripts: `.venv/bin/python docs/examples/photos.py [FOLDER]`.

They are those in scikit-image's wheel, and altered copies of them. Its code is not imported: a local run has the wheel
without the packages that the code needs.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np


def samples() -> Path:
    """Return the folder of the photographs in scikit-image's wheel."""
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise SystemExit("scikit-image is not installed here. Use the Python of `make run`: .venv/bin/python")
    return Path(found.origin).parent / "data"


def write(path: Path, image: np.ndarray, quality: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else [])


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def captioned(image: np.ndarray, text: str) -> np.ndarray:
    bar = np.zeros((60, image.shape[1], 3), np.uint8)
    cv2.putText(bar, text, (15, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2, cv2.LINE_AA)
    return np.vstack([image, bar])


def main(folder: Path) -> None:
    names = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png", "coins.png", "moon.png", "motorcycle_left.png")
    read = {name.split(".")[0]: cv2.imread(str(samples() / name)) for name in names}
    cat, coffee, rocket, astronaut = (read[name] for name in ("chelsea", "coffee", "rocket", "astronaut"))

    photos = folder / "photos"
    for name, image in {"cat": cat, "coffee": coffee, "rocket": rocket, "astronaut": astronaut}.items():
        write(photos / f"{name}.jpg", image)
    write(photos / "2026" / "coins.jpg", read["coins"])
    write(photos / "2026" / "moon.jpg", read["moon"])
    write(photos / "old" / "cat-small.jpg", scaled(cat, 0.5), 60)
    write(photos / "old" / "coffee-mail.jpg", scaled(coffee, 0.6), 40)

    write(folder / "copy.jpg", cv2.rotate(cat[20:270, 30:400], cv2.ROTATE_90_COUNTERCLOCKWISE), 50)
    write(folder / "found" / "funny-cat.jpg", captioned(cat[20:270, 30:400], "MONDAY AGAIN"), 50)
    write(folder / "found" / "launch.jpg", scaled(rocket[:, ::-1], 0.8), 60)
    write(folder / "found" / "motorcycle.jpg", read["motorcycle_left"])

    write(folder / "blocked" / "blocked-1.jpg", astronaut)
    bordered = cv2.copyMakeBorder(
        scaled(astronaut[:400], 0.7), 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=(40, 160, 90)
    )
    write(folder / "uploads" / "new-1.jpg", bordered, 55)
    write(folder / "uploads" / "new-2.jpg", read["moon"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
