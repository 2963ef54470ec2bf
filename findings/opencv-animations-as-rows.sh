#!/bin/sh
# OpenCV decodes an image from a one-dimensional array of bytes, such as `np.frombuffer` makes or its own encoders return. So it
# decodes an animation from one, one would guess, in each format in which it encodes one. Of a GIF or a PNG it does. Of a WebP
# or an AVIF, `imdecodeanimation` returns False and no frames, even for what `imencodeanimation` has just made: the array has to
# be one row (`data.reshape(1, -1)`). Yet `imdecode` and `imdecodemulti` read the same array in all formats, and
# `imreadanimation` the same bytes from a file, so the file seems broken only to who tries the one function.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "opencv-python-headless==4.14.0.94" "numpy==2.4.6"
cd "$folder"
OPENCV_LOG_LEVEL=SILENT "$folder/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

animation = cv2.Animation()
animation.frames = [np.full((48, 64, 3), value, np.uint8) for value in (0, 80, 160, 240)]
animation.durations = [100] * 4
seen = {}
for kind in ("gif", "png", "webp", "avif"):
    encoded, data = cv2.imencodeanimation(f".{kind}", animation)
    assert encoded and data.ndim == 1
    with open(f"animation.{kind}", "wb") as file:
        file.write(data.tobytes())
    frames = {
        "imdecodemulti": cv2.imdecodemulti(data, cv2.IMREAD_COLOR)[1],
        "imreadanimation": cv2.imreadanimation(f"animation.{kind}")[1].frames,
        "imdecodeanimation": cv2.imdecodeanimation(data)[1].frames,
        "imdecodeanimation of a row": cv2.imdecodeanimation(data.reshape(1, -1))[1].frames,
    }
    seen[kind] = [len(found) for found in frames.values()]
    counts = ", ".join(f"{name} {len(found)}" for name, found in frames.items())
    print(f"OpenCV {cv2.__version__}, frames of 4 in a {kind}: {counts}")
if seen != {"gif": [4, 4, 4, 4], "png": [4, 4, 4, 4], "webp": [4, 4, 0, 4], "avif": [4, 4, 0, 4]}:
    raise SystemExit("changed")
PYTHON
