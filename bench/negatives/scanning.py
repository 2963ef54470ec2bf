"""Degrade images as scanning and sending do."""

import numpy as np

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels


def scanned(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Simulate a flatbed scan: rotated by up to 0.8 degrees, unevenly lit, softened, grainy."""
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-0.8, 0.8)), float(rng.uniform(0.985, 1)))
    turn = np.asarray(turn, np.float64) + np.array([[0, 0, 1], [0, 0, 1]]) * rng.uniform(-3, 3, (2, 1))
    paper = tuple(float(value) for value in np.median(rgb.reshape(-1, 3), axis=0))
    page = cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=paper).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(page, (0, 0), float(rng.uniform(0.3, 0.9))), np.float32)
    light = np.linspace(rng.uniform(0.93, 1), rng.uniform(0.93, 1), width, dtype=np.float32)[np.newaxis, :, np.newaxis]
    grain = rng.normal(0, rng.uniform(1, 4), (height, width, 1)).astype(np.float32)
    toned = (soft * light - 128) * rng.uniform(0.9, 1.05) + 128 + rng.uniform(-6, 4) + grain
    return np.asarray(np.clip(toned, 0, 255), np.uint8)


def resized(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    scale = float(rng.uniform(0.6, 1))
    size = (max(32, round(rgb.shape[1] * scale)), max(32, round(rgb.shape[0] * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def sent(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Reduce the size of half of the images; the caller saves them as JPEGs."""
    return resized(rgb, rng) if rng.random() < 0.5 else rgb
