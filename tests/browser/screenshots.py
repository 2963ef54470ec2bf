"""Screenshots for README.md, made against a fresh local run.

It adds altered copies of scikit-image's samples to the default collection: `python -m tests.browser.screenshots URL`.
"""

import io
import sys
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect, sync_playwright

from shared.vision.opencv import cv2
from tests.browser.conftest import CHROMIUM, FLAGS, PATIENCE_MS
from tests.images import Pixels, encoded, pixels

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
VIEWPORT: Final = (1100, 720)
JPEG_QUALITY: Final = 1  # cv2.IMWRITE_JPEG_QUALITY


def payload(name: str, rgb: Pixels, *parameters: int) -> FilePayload:
    kind = Path(name).suffix
    return {
        "name": name,
        "mimeType": f"image/{kind[1:].replace('jpg', 'jpeg')}",
        "buffer": encoded(rgb, kind, *parameters),
    }


def shrunk(rgb: Pixels, share: float) -> Pixels:
    return cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA).astype(rgb.dtype)


def altered_copies() -> list[FilePayload]:
    """Copies of two samples that an archive would have."""
    coffee, cat = pixels("coffee.png"), pixels("chelsea.png")
    return [
        payload("coffee-cropped.jpg", coffee[30:370, 60:560], JPEG_QUALITY, 75),
        payload("chelsea-small.jpg", shrunk(cat, 0.6), JPEG_QUALITY, 70),
        payload("chelsea-mirrored.jpg", cat[:, ::-1], JPEG_QUALITY, 80),
    ]


def variant() -> FilePayload:
    """The astronaut with a cat for a mission patch, and a caption."""
    rgb = pixels("astronaut.png").copy()
    rgb[330:430, 110:215] = cv2.resize(pixels("chelsea.png")[50:250, 90:300], (105, 100))
    rgb[450:512] = 0
    cv2.putText(rgb, "MISSION SPECIALIST", (70, 492), cv2.FONT_HERSHEY_DUPLEX, 1.15, (255, 255, 255), 2, cv2.LINE_AA)
    return payload("variant.png", rgb)


def search(page: Page, query: FilePayload) -> None:
    page.set_input_files("#file", query)
    expect(page.locator("#query-name")).to_have_text(query["name"])
    expect(page.locator("#results:not([aria-busy])")).to_be_visible()
    page.wait_for_load_state("networkidle")


def save(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").quantize(256).save(FOLDER / f"{name}.png", optimize=True)


def main(url: str) -> None:
    width, height = VIEWPORT
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": height}, reduced_motion="reduce", color_scheme="dark"
        )
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        for copy in altered_copies():
            page.set_input_files("#files", copy)
            expect(page.locator("#uploads-status")).to_have_text("1 of 1 image is in the collection.")
        page.wait_for_timeout(5000)  # groups are formed after the uploads have been answered
        page.goto(f"{url}/?view=duplicates")
        expect(page.locator("#groups > li")).to_have_count(2)
        save(page, "duplicates")

        page.goto(url)
        query = cv2.rotate(pixels("chelsea.png")[20:270, 30:400], cv2.ROTATE_90_COUNTERCLOCKWISE)
        search(page, payload("turned-crop.jpg", query.astype("uint8"), JPEG_QUALITY, 50))
        save(page, "search")

        search(page, variant())
        page.locator("#matches .open").first.click()
        page.locator("#viewer figure").last.get_by_role("img").wait_for()
        expect(page.locator("#viewer figure img").last).not_to_have_js_property("naturalHeight", 0)
        save(page, "compare")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
