"""Photographs that are not the same: bursts, memes, people in front of one background.

The photographs are a folder's, or those in scikit-image's wheel.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from bench.negatives.canvas import Content, Style, font
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import shrink_to_fit

LARGEST = 900


def _base(style: Style, photographs: Sequence[Pixels]) -> Pixels:
    return shrink_to_fit(photographs[style.whole(0, len(photographs))], LARGEST).copy()


def _figure(rgb: Pixels, style: Style, x: float, y: float, r: float, *, shut: bool, smile: bool) -> None:
    """A person with a shaded face; `x`, `y` and `r` are the face's, in pixels."""
    skin, coat = np.array(style.colour(140, 240)), style.colour(20, 180)
    height = len(rgb)
    cv2.rectangle(
        rgb, (int(x - 1.4 * r), int(y + r)), (int(x + 1.4 * r), int(min(height, y + 4 * r))), coat, -1, cv2.LINE_AA
    )
    for ring in range(8):
        size = (int(r * (1 - ring / 16)), int(1.25 * r * (1 - ring / 16)))
        cv2.ellipse(
            rgb,
            (int(x), int(y)),
            size,
            0,
            0,
            360,
            tuple(float(v) for v in np.clip(skin * (0.8 + 0.03 * ring), 0, 255)),
            -1,
            cv2.LINE_AA,
        )
    for side in (-0.4, 0.4):
        eye = (int(x + side * r), int(y - 0.25 * r))
        if shut:
            cv2.ellipse(
                rgb, eye, (max(2, int(0.2 * r)), max(1, int(0.04 * r))), 0, 0, 360, (40, 25, 20), -1, cv2.LINE_AA
            )
        else:
            cv2.ellipse(
                rgb, eye, (max(2, int(0.2 * r)), max(2, int(0.13 * r))), 0, 0, 360, (245, 245, 245), -1, cv2.LINE_AA
            )
            cv2.circle(rgb, eye, max(1, int(0.1 * r)), (40, 25, 20), -1, cv2.LINE_AA)
    cv2.ellipse(
        rgb,
        (int(x), int(y + 0.5 * r)),
        (max(2, int(0.4 * r)), max(1, int((0.2 if smile else 0.05) * r))),
        0,
        0,
        180,
        (150, 30, 40),
        2,
        cv2.LINE_AA,
    )


def _exposed(rgb: Pixels, content: Content) -> Pixels:
    """Simulate another exposure: noise, and a shift of up to two pixels."""
    rng = content.rng()
    dx, dy = rng.uniform(-2, 2, 2)
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    moved = cv2.warpAffine(
        rgb, move, (rgb.shape[1], rgb.shape[0]), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.clip(moved * rng.uniform(0.96, 1.04) + rng.normal(0, 2.5, rgb.shape), 0, 255).astype(np.uint8)


def blink(style: Style, content: Content, photographs: Sequence[Pixels], second: bool) -> Pixels:
    """A person with open eyes in the first image, closed in the second."""
    rgb = _base(style, photographs)
    height, width = rgb.shape[:2]
    x, y = style.between(0.25, 0.75) * width, style.between(0.25, 0.5) * height
    _figure(rgb, style, x, y, style.between(0.07, 0.16) * height, shut=second, smile=True)
    return _exposed(rgb, content)


def moved(style: Style, content: Content, photographs: Sequence[Pixels], second: bool) -> Pixels:
    """A person who stands elsewhere in the second image."""
    rgb = _base(style, photographs)
    height, width = rgb.shape[:2]
    r = style.between(0.07, 0.14) * height
    x = style.between(0.25, 0.45) * width + second * style.between(0.08, 0.3) * width
    _figure(rgb, style, x, style.between(0.25, 0.5) * height, r, shut=False, smile=True)
    return _exposed(rgb, content)


def moved_part(style: Style, content: Content, photographs: Sequence[Pixels], second: bool) -> Pixels:
    """A photograph of which a part has moved in the second image."""
    rgb = _base(style, photographs)
    height, width = rgb.shape[:2]
    h, w = round(style.between(0.18, 0.35) * height), round(style.between(0.12, 0.25) * width)
    top, left = style.whole(0, height - h), style.whole(0, width - w)
    if second:
        part = rgb[top : top + h, left : left + w].copy()
        mask = np.zeros((h, w), np.uint8)
        cv2.ellipse(mask, (w // 2, h // 2), (w // 2 - 2, h // 2 - 2), 0, 0, 360, 255, -1)
        soft = cv2.GaussianBlur(mask, (0, 0), 2)[:, :, np.newaxis] / 255
        away = round(style.between(0.2, 0.5) * width)
        there = (left + away) % max(1, width - w)
        rgb[top : top + h, there : there + w] = part * soft + rgb[top : top + h, there : there + w] * (1 - soft)
        rgb[top : top + h, left : left + w] = rgb[top : top + h, left : left + w][:, ::-1] * soft + part * (1 - soft)
    return _exposed(rgb, content)


def another_person(style: Style, content: Content, photographs: Sequence[Pixels], second: bool) -> Pixels:
    """Different people in front of the same background."""
    rgb = _base(style, photographs)
    height, width = rgb.shape[:2]
    person = Style((*style.seed, 7 + second))
    x = (0.3 + 0.4 * content.share()) * width
    _figure(rgb, person, x, 0.4 * height, person.between(0.1, 0.18) * height, shut=False, smile=content.share() < 0.5)
    return _exposed(rgb, content)


def captioned(rgb: Pixels, style: Style, words: Sequence[str]) -> Pixels:
    """Draw lines of text over a photograph, as in memes and stories."""
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    bar = style.seed[-1] % 3
    face = font(style.heading, round(style.between(0.07, 0.1) * min(width, height)))
    if bar == 0:
        band = round(0.16 * height)
        sheet = Image.new("RGB", (width, height + band), (255, 255, 255))
        sheet.paste(image, (0, band))
        ImageDraw.Draw(sheet).text((width / 2, band / 2), words[0], fill=(10, 10, 10), font=face, anchor="mm")
        return np.asarray(sheet, np.uint8).copy()
    if bar == 1:
        draw.rectangle((0, 0.78 * height, width, 0.95 * height), fill=(15, 15, 15))
        draw.text((width / 2, 0.865 * height), words[0], fill=(255, 255, 255), font=face, anchor="mm")
    else:
        for line, y, anchor in zip(words, (0.04, 0.96), ("ma", "md"), strict=False):
            draw.text(
                (width / 2, y * height),
                line.upper(),
                fill=(255, 255, 255),
                font=face,
                anchor=anchor,
                stroke_width=3,
                stroke_fill=(0, 0, 0),
            )
    return np.asarray(image, np.uint8).copy()


def meme(style: Style, content: Content, photographs: Sequence[Pixels]) -> Pixels:
    rgb = _base(style, photographs)
    return captioned(rgb, style, [content.words(2, 4)[:20], content.words(2, 4)[:20]])


def story(style: Style, content: Content, photographs: Sequence[Pixels]) -> Pixels:
    """Posts of one template, with different photographs and names."""
    frame = Style(style.seed)
    w = frame.whole(420, 720)
    post = Image.new("RGB", (w, round(1.5 * w)), frame.ground)
    draw = ImageDraw.Draw(post)
    draw.ellipse((0.04 * w, 0.04 * w, 0.14 * w, 0.14 * w), fill=frame.accent)
    draw.text((0.18 * w, 0.06 * w), content.person(), fill=frame.ink, font=font(frame.heading, round(0.045 * w)))
    photo = photographs[content.whole(0, len(photographs))]
    post.paste(Image.fromarray(cv2.resize(photo, (w, w), interpolation=cv2.INTER_AREA)), (0, round(0.18 * w)))
    draw.text(
        (0.04 * w, 1.22 * w),
        f"{content.number(3, 9000)} likes",
        fill=frame.ink,
        font=font(frame.heading, round(0.04 * w)),
    )
    draw.text((0.04 * w, 1.3 * w), content.words(4, 7), fill=frame.ink, font=font(frame.body, round(0.035 * w)))
    draw.text((0.04 * w, 1.4 * w), "View all comments", fill=(140, 140, 140), font=font(frame.body, round(0.035 * w)))
    return np.asarray(post, np.uint8).copy()
