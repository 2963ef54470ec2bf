"""Measure which faces are found, how far copies and other people are, and what it costs: `python -m bench.faces`.

Faces of scikit-image's wheel are always looked at. More are in two packages, which are read as they are downloaded:

    pip download --no-deps insightface==2.1
    npm pack @vladmandic/face-api@1.7.15
    python -m bench.faces PHOTOGRAPHS --insightface insightface-2.1-py3-none-any.whl \
        --face-api vladmandic-face-api-1.7.15.tgz --sheet faces.png

The sheet shows every face that was found in the photographs, to be judged by eye.
"""

import argparse
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from skimage.data import data_dir

from shared.domain.people.faces import DetectedFace
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import Embedder
from shared.vision.faces.finder import FaceFinder
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

WITH_A_FACE: Final = ("astronaut.png", "camera.png")
WITHOUT: Final = (
    *("brick.png", "cell.png", "chelsea.png", "chessboard_RGB.png", "clock_motion.png", "coffee.png", "coins.png"),
    *("color.png", "grass.png", "gravel.png", "horse.png", "hubble_deep_field.jpg", "ihc.png", "logo.png"),
    *("microaneurysms.png", "moon.png", "motorcycle_left.png", "page.png", "phantom.png", "retina.jpg", "rocket.jpg"),
    "text.png",
)
SAMPLES: Final = 6
TIMED: Final = 30
SHEET_SIDE: Final = 150
SHEET_COLUMNS: Final = 10


def turn(rgb: Pixels, degrees: float) -> Pixels:
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(rgb, matrix, (width, height)), dtype=np.uint8)


def save(rgb: Pixels, quality: int) -> Pixels:
    data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return decode_in_process(data.tobytes()).rgb


def scale(rgb: Pixels, factor: float) -> Pixels:
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=interpolation), dtype=np.uint8)


COPIES: Final[Mapping[str, Callable[[Pixels], Pixels]]] = {
    "JPEG 30": lambda rgb: save(rgb, 30),
    "half size": lambda rgb: scale(rgb, 0.5),
    "mirrored": lambda rgb: np.ascontiguousarray(rgb[:, ::-1]),
    "turned 20 degrees": lambda rgb: turn(rgb, 20),
    "turned 90 degrees": lambda rgb: np.ascontiguousarray(np.rot90(rgb)),
    "dark": lambda rgb: (rgb * 0.35).astype(np.uint8),
    "gray": lambda rgb: np.asarray(
        cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), dtype=np.uint8
    ),
}


def distance(one: DetectedFace, other: DetectedFace) -> float:
    return float(np.linalg.norm(one.vector - other.vector))


def shipped(name: str) -> Pixels:
    return decode_in_process((Path(data_dir) / name).read_bytes()).cover


def small_pictures() -> Iterator[Pixels]:
    """Yield the 100 faces and then the 100 others of `lfw_subset`, enlarged from 25 to 200 pixels, with a margin."""
    for image in np.load(Path(data_dir) / "lfw_subset.npy"):
        large = cv2.resize((image * 255).astype(np.uint8), (200, 200), interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(large, 50, 50, 50, 50, cv2.BORDER_REPLICATE)
        yield np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def measure_samples(finder: FaceFinder) -> None:
    for name in WITH_A_FACE:
        print(f"{name}: {len(finder.find(shipped(name)))} face")
    print(f"{len(WITHOUT)} other pictures of scikit-image: {sum(len(finder.find(shipped(name))) for name in WITHOUT)}")
    found = [bool(finder.find(rgb)) for rgb in small_pictures()]
    print(f"lfw_subset: {sum(found[:100])} of 100 faces, {sum(found[100:])} of 100 others")
    rgb = shipped("astronaut.png")
    [original] = finder.find(rgb)
    for name, copy in COPIES.items():
        faces = finder.find(copy(rgb))
        print(f"astronaut, {name}: {', '.join(f'{distance(face, original):.3f}' for face in faces) or 'not found'}")


def measure_packages(finder: FaceFinder, insightface: Path | None, face_api: Path | None) -> None:
    if insightface:
        with zipfile.ZipFile(insightface) as archive:
            faces = finder.find(decode_in_process(archive.read("insightface/data/images/t1.jpg")).cover)
        nearest = min(distance(one, other) for one in faces for other in faces if one is not other)
        print(f"t1.jpg of insightface: {len(faces)} faces, the nearest two at {nearest:.2f}")
    if face_api:
        with tarfile.open(face_api) as archive:
            files = [archive.extractfile(f"package/demo/sample{number}.jpg") for number in range(1, SAMPLES + 1)]
            counts = [len(finder.find(decode_in_process(file.read()).cover)) for file in files if file]
        print(f"sample1..{SAMPLES}.jpg of face-api: {', '.join(map(str, counts))} faces")


def measure_photographs(finder: FaceFinder, embedder: Embedder, folder: Path, sheet: Path | None) -> None:
    crops: list[Pixels] = []
    photographs = with_animals = 0
    for path in sorted(folder.iterdir()):
        rgb = decode_in_process(path.read_bytes()).cover
        photographs += 1
        with_animals += len(finder.find(rgb))
        crops += [_crop(rgb, face) for face in finder.find(rgb, embedder.animal_probability)]
    print(f"{photographs} photographs: {len(crops)} faces, and {with_animals - len(crops)} left out as animals'")
    if sheet and crops:
        blank = np.zeros_like(crops[0])
        filled = [*crops, *[blank] * (-len(crops) % SHEET_COLUMNS)]
        rows = [np.hstack(filled[at : at + SHEET_COLUMNS]) for at in range(0, len(filled), SHEET_COLUMNS)]
        cv2.imwrite(str(sheet), np.vstack(rows)[:, :, ::-1])


def _crop(rgb: Pixels, face: DetectedFace) -> Pixels:
    """Return the surroundings of a face as a square."""
    height, width = rgb.shape[:2]
    left, top = (face.box[0] - face.box[2] / 2) * width, (face.box[1] - face.box[3] / 2) * height
    right, bottom = left + 2 * face.box[2] * width, top + 2 * face.box[3] * height
    part = rgb[max(0, int(top)) : int(bottom), max(0, int(left)) : int(right)]
    return np.asarray(cv2.resize(part, (SHEET_SIDE, SHEET_SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def scene(faces: int) -> Pixels:
    """Return an image of 1024 x 768 pixels with so many faces of different sizes, at most 10."""
    canvas = np.asarray(cv2.resize(shipped("coffee.png"), (1024, 768), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    person = shipped("astronaut.png")[20:236, 130:330]
    for number in range(faces):
        one = scale(person, 0.95 - 0.04 * number)
        top, left = 20 + 370 * (number // 5), 5 + 204 * (number % 5)
        canvas[top : top + one.shape[0], left : left + one.shape[1]] = one
    return canvas


def peak_memory() -> float:
    """Return the largest resident memory of this process so far, in MB. `getrusage` has that of the parent."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def cost(faces_dir: Path, model_dir: Path, faces: int) -> tuple[int, float, float]:
    """Return how many faces were found, the processor time in ms, and by how many MB the peak of memory grew."""
    embedder = Embedder(model_dir)
    rgb = scene(faces)
    embedder.embed(rgb)
    before = peak_memory()
    finder = FaceFinder(faces_dir)
    found = finder.find(rgb)
    times = []
    for _ in range(TIMED):
        started = time.process_time()
        finder.find(rgb)
        times.append(time.process_time() - started)
    return len(found), float(np.median(times)) * 1e3, peak_memory() - before


def measure_cost(faces_dir: Path, model_dir: Path) -> None:
    """Measure each number of faces in a new process, because memory does not shrink."""
    for faces in (0, 1, 10):
        arguments = [str(faces_dir), str(model_dir), str(faces)]
        call = "import sys; from pathlib import Path; from bench import faces; a = sys.argv; "
        call += "print(*faces.cost(Path(a[1]), Path(a[2]), int(a[3])))"
        done = subprocess.run([sys.executable, "-c", call, *arguments], capture_output=True, text=True, check=True)
        found, milliseconds, megabytes = done.stdout.split()
        print(f"{found} faces: {float(milliseconds):.0f} ms of processor time, {float(megabytes):.0f} MB more memory")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faces")
    parser.add_argument("photographs", type=Path, nargs="?", help="folder of photographs")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--faces-dir", type=Path, default=Path(".build/faces"))
    parser.add_argument("--insightface", type=Path, metavar="WHEEL")
    parser.add_argument("--face-api", type=Path, metavar="TGZ")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="write the faces of the photographs to this file")
    args = parser.parse_args(argv)
    finder = FaceFinder(args.faces_dir)
    measure_samples(finder)
    measure_packages(finder, args.insightface, args.face_api)
    if args.photographs:
        measure_photographs(finder, Embedder(args.model_dir), args.photographs, args.sheet)
    measure_cost(args.faces_dir, args.model_dir)


if __name__ == "__main__":
    main()
