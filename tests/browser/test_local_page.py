"""The page of the local run, whose uploads and images are of its own origin."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from infra.local.data_folder import DataFolder
from infra.local.serving import serving
from infra.local.system import local_system
from tests.browser.conftest import needs_chromium
from tests.images import noise

pytestmark = needs_chromium


def test_faces_are_turned_on_by_somebody_who_has_read_what_is_stored(
    desktop: Page, model_dir: Path, faces_dir: Path, tmp_path: Path
) -> None:
    folder = DataFolder(tmp_path, is_new=True)
    with local_system(folder, model_dir, faces_dir=faces_dir) as system, serving(system.app, 0) as url:
        desktop.goto(url)
        desktop.click("#switch")
        faces = desktop.get_by_role("button", name="Find faces in the collection “default”")
        expect(faces).to_have_attribute("aria-pressed", "false")
        faces.click()
        expect(desktop.locator("#confirm-text")).to_contain_text("its place in the image and 128 numbers")
        desktop.click("#confirm-yes")
        expect(faces).to_have_attribute("aria-pressed", "true")
        faces.click()
        expect(desktop.locator("#confirm-text")).to_contain_text("stays until it is erased")
        desktop.click("#confirm-yes")
        expect(faces).to_have_attribute("aria-pressed", "false")


def test_images_are_uploaded_shown_and_found(desktop: Page, model_dir: Path, tmp_path: Path) -> None:
    complaints: list[str] = []
    desktop.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    images: list[Any] = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": noise(7_200 + n)} for n in range(3)]
    with local_system(DataFolder(tmp_path, is_new=True), model_dir) as system, serving(system.app, 0) as url:
        for address in (url, url.replace("localhost", "127.0.0.1")):
            desktop.goto(address)
            desktop.set_input_files("#files", images if address == url else images[:1])
            expect(desktop.locator("#count")).to_have_text("3")
            for position in range(3):
                shown = desktop.locator("img[src*='/objects/thumbnails/']").nth(position)
                expect(shown).not_to_have_js_property("naturalWidth", 0)
            desktop.set_input_files("#file", images[1])
            expect(desktop.locator("#matches .card").first).to_contain_text("Identical")
    assert complaints == []
