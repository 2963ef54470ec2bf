"""The page as a place to work in: addresses, collections, selection, uploads of folders, notes."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import needs_chromium, stored_files
from tests.conftest import PicTrace
from tests.images import encoded, noise, pixels, taken
from tests.integration.conftest import until

pytestmark = needs_chromium


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": data}


WOULD_ASK = """() => {
    const leaving = new Event("beforeunload", { cancelable: true });
    dispatchEvent(leaving);
    return leaving.defaultPrevented;
}"""
"""Whether the page would ask before it is left, because files are not stored in the browser yet."""

SLOW_STORE = """() => {
    window.asked = window.answered = 0;
    const estimate = navigator.storage.estimate.bind(navigator.storage);
    navigator.storage.estimate = async () => {
        window.asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 1500));
        window.answered += 1;
        return estimate();
    };
}"""
"""Makes the browser take its time to say how much can be stored, as with many files."""


@pytest.fixture
def collection() -> str:
    """The name of a collection that only this test uses, and that is listed before those of other tests."""
    return f"0-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def page(desktop: Page, running: PicTrace, collection: str) -> Iterator[Page]:
    """The page of a collection that only this test uses; it must log no error."""
    errors: list[str] = []
    desktop.on("pageerror", lambda error: errors.append(str(error)))
    desktop.goto(f"{running.url}/?collection={collection}")
    expect(desktop.locator("#count")).to_be_visible()
    yield desktop
    assert errors == []


@pytest.fixture
def album(running: PicTrace, collection: str) -> list[str]:
    """The ids of four images in the collection, newest first."""
    added = [running.add(noise(8100 + at), collection=collection, name=f"image {at}.png") for at in range(4)]
    return added[::-1]


def tile(page: Page, name: str) -> str:
    return f"#images li:has([aria-label='Open {name}'])"


def test_every_state_has_an_address(
    browser: Browser, running: PicTrace, album: list[str], page: Page, collection: str
) -> None:
    viewer, results = page.locator("#viewer"), page.locator("#results")
    page.get_by_role("button", name="Open image 1.png").click()
    expect(page).to_have_url(re.compile(f"collection={collection}&image={album[2]}$"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-title")).to_have_text("image 0.png")
    page.go_back()
    expect(viewer).to_be_hidden()
    page.go_forward()
    expect(page.locator("#viewer-title")).to_have_text("image 0.png")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(f"collection={collection}$"))

    page.set_input_files("#file", file("mine.png", noise(8102)))
    expect(page.locator("#matches .of-copies .card")).to_contain_text("image 2.png")
    page.get_by_text("Features only").click()
    expect(page).to_have_url(re.compile(f"query={album[1]}&ranking=cosine$"))
    page.go_back()
    expect(page.get_by_label("All signals")).to_be_checked()
    page.go_back()
    expect(results).to_be_hidden()
    page.go_forward()
    expect(page.locator("#query-name")).to_have_text("mine.png")
    shared = page.url
    page.reload()
    expect(page.locator("#query-name")).to_have_text("mine.png")

    other = browser.new_page()  # of a browser that does not have the file; the collection has it
    other.goto(shared)
    expect(other.locator("#query-name")).to_have_text("image 2.png")
    other.goto(f"{running.url}/?collection={collection}&filename=IMAGE+3&image={album[0]}")
    expect(other.locator("#viewer-title")).to_have_text("image 3.png")
    expect(other.locator("#images li")).to_have_count(1)
    other.goto(f"{running.url}/?collection={collection}&query={'0' * 64}")
    expect(other.locator("#problem")).to_contain_text("Choose the file again")
    other.close()


def test_selected_images_are_deleted_and_the_place_is_kept(
    running: PicTrace, album: list[str], page: Page, collection: str
) -> None:
    tiles = page.locator("#images .open")
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#selection-count")).to_have_text("2 selected")
    tiles.nth(1).click(modifiers=["Control"])
    expect(page.locator("#selection-count")).to_have_text("1 selected")
    tiles.nth(1).click(modifiers=["Shift"])
    expect(page.locator("#images li.selected")).to_have_count(2)
    page.keyboard.press("Delete")
    expect(page.locator("#confirm")).to_contain_text("Delete 2 images?")
    page.locator("#confirm-yes").click()
    expect(page.locator("#toast")).to_contain_text("2 images deleted.")
    expect(page.locator("#images li")).to_have_count(2)
    expect(page.get_by_role("button", name="Open image 0.png")).to_be_focused()
    expect(page.locator("#count")).to_have_text("2")
    expect(page.locator("#selection")).to_be_hidden()
    left = running.client.get("/v1/images", params={"collection": collection}).json()["images"]
    assert [image["image_id"] for image in left] == [album[0], album[3]]


def test_the_viewer_zooms_downloads_and_keeps_notes(album: list[str], page: Page) -> None:
    page.locator("#images .open").first.click()
    shown = page.locator("#viewer .stage img")
    page.keyboard.press("+")
    expect(shown).to_have_attribute("style", re.compile(r"scale\(1\.5\)"))
    page.keyboard.press("0")
    expect(page.get_by_role("button", name="Zoom out")).to_be_disabled()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "image 3.png"
    assert download.value.path().read_bytes() == noise(8103)
    page.get_by_text("All that is known").click()
    expect(page.locator("#viewer .known")).to_contain_text(album[0])

    page.get_by_text("Your notes").click()
    notes = page.locator("#viewer .notes")
    notes.get_by_label("Your id").fill("DAM-1")
    notes.get_by_role("button", name="Add a field").click()
    notes.get_by_label("Name of the field").fill("Fotografin")
    notes.get_by_label("Value of the field").fill("Ada")
    notes.get_by_role("button", name="Save").click()
    expect(notes).to_contain_text("Saved.")
    page.keyboard.press("Escape")
    page.get_by_text("More filters").click()
    page.get_by_label("Your field").fill("Fotografin:Ada")
    page.get_by_label("Your field").press("Enter")
    expect(page.locator("#images li")).to_have_count(1)
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator("#images li")).to_have_count(4)


def test_a_folder_is_uploaded_and_goes_on_after_a_reload(page: Page, tmp_path: Path, running: PicTrace) -> None:
    inside = tmp_path / "Ferien" / "Tag 1"
    inside.mkdir(parents=True)
    for at in range(14):
        (inside / f"{at}.png").write_bytes(noise(8200 + at))
    (inside / "broken.png").write_bytes(b"no image")
    (tmp_path / "Ferien" / "list.txt").write_text("no image either")
    page.set_input_files("#folder", tmp_path / "Ferien")
    expect(page.locator("#confirm")).to_contain_text("Add 15 files?")
    page.locator("#confirm-yes").click()
    expect(page.locator("#toast")).to_contain_text("1 file skipped")
    expect(page.locator("#uploads .indexed").first).to_be_visible()
    expect(page.locator("#images li").first).to_be_visible()  # the grid moves while the upload goes on
    until(lambda: not page.evaluate(WOULD_ASK))
    page.reload()
    expect(page.locator("#failures-title")).to_have_text("1 file could not be added")
    expect(page.locator("#count")).to_have_text("14")
    expect(page.locator("#images li")).to_have_count(14)
    ids = [one.get_attribute("data-id") for one in page.locator("#images li").all()]
    assert len(ids) == len(set(ids)) == 14
    expect(page.locator("#uploads-status")).to_contain_text("in the collection.")
    until(lambda: stored_files(page) == ["broken.png"])
    page.reload()  # nothing is left to upload, but the failure is still listed
    page.locator("#failures-title").click()
    expect(page.locator("#failed")).to_contain_text("Rejected: The file is not an image in a supported format")
    page.get_by_role("button", name="Try broken.png again").click()
    expect(page.locator("#uploads-status")).to_contain_text("0 of 1 image is in the collection.")
    expect(page.locator("#uploads")).to_be_visible()
    page.locator("#to-duplicates").click()
    expect(page.locator("#uploads")).to_be_hidden()  # other views keep the sum and the failures
    expect(page.locator("#failures")).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#failures")).to_be_hidden()


def test_a_dismissed_failure_does_not_come_back(page: Page) -> None:
    page.set_input_files("#files", file("broken.png", b"no image"))
    again = page.get_by_role("button", name="Try broken.png again")
    page.locator("#failures-title").click()
    until(lambda: stored_files(page) == ["broken.png"])
    page.evaluate(SLOW_STORE)
    again.click()
    expect(again).to_be_hidden()
    expect(again).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    until(lambda: page.evaluate("window.asked >= 3 && window.asked === window.answered"))
    until(lambda: stored_files(page) == [])
    page.reload()
    expect(page.locator("#count")).to_have_text("0")
    expect(page.locator("#failures")).to_be_hidden()


def test_dropped_files_are_offered_and_uploads_can_be_cancelled(page: Page, running: PicTrace) -> None:
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    page.reload()
    page.evaluate(
        """(files) => {
            const moved = new DataTransfer();
            for (const bytes of files) {
                const name = `${moved.items.length}.png`;
                moved.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
            }
            dispatchEvent(new DragEvent("drop", { dataTransfer: moved, cancelable: true }));
        }""",
        [list(noise(8300 + at)) for at in range(20)],
    )
    expect(page.locator("#confirm")).to_contain_text("Add 20 files?")
    page.locator("#confirm-yes").click()
    expect(page.locator("#uploads-warning")).to_contain_text("cannot be kept by this browser")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#uploads-status")).to_contain_text("Cancelled.")
    expect(page.locator("#uploads-warning")).to_be_hidden()


def test_collections_are_created_switched_named_and_removed(
    page: Page, running: PicTrace, collection: str, album: list[str]
) -> None:
    switch, dialog = page.locator("#switch"), page.locator("#collections")
    page.reload()
    switch.click()
    expect(dialog.locator("li").filter(has_text=collection)).to_contain_text("4")
    page.get_by_label("Name of a new collection").fill(f"{collection} Größe")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile(f"collection={collection}-grosse$"))
    expect(page.locator("#collection-title")).to_have_text(f"The collection “{collection} Größe”")
    expect(page.locator("#nothing")).to_be_visible()
    page.go_back()
    expect(page.locator("#images li")).to_have_count(4)
    switch.click()
    page.get_by_role("button", name=f"Rename {collection} Größe").click()
    page.get_by_label(f"New name of {collection} Größe").fill(f"{collection} klein")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("link", name=f"{collection} klein")).to_be_visible()
    page.get_by_role("button", name=f"Remove {collection} klein").click()
    expect(page.locator("#confirm")).to_contain_text("It has no images.")
    page.locator("#confirm-yes").click()
    expect(page.locator("#toast")).to_contain_text("was removed")
    switch.click()
    page.get_by_role("button", name=f"Remove {collection}").click()
    expect(page.locator("#confirm")).to_contain_text("Delete the 4 images in")
    page.locator("#confirm-yes").click()
    expect(page.locator("#trashed li")).to_have_count(4)
    page.get_by_role("button", name="Empty the trash").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#no-trash")).to_be_visible()
    until(lambda: not running.client.get("/v1/trash", params={"collection": collection}).json()["images"])
    switch.click()
    page.get_by_role("button", name=f"Remove {collection}").click()
    expect(page.locator("#confirm")).to_contain_text("It has no images.")
    page.locator("#confirm-yes").click()
    expect(page).to_have_url(re.compile(r"/$"))
    switch.click()
    expect(dialog.get_by_role("link", name="default")).to_be_visible()
    expect(dialog.get_by_text(collection)).to_have_count(0)


def test_it_all_fits_a_phone(browser: Browser, running: PicTrace, album: list[str], collection: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{running.url}/?collection={collection}")
    page.locator("#images .open").first.tap()
    expect(page.locator("#viewer-title")).to_have_text("image 3.png")
    assert page.evaluate(
        "document.querySelector('#viewer').scrollWidth <= document.querySelector('#viewer').clientWidth"
    )
    page.get_by_role("button", name="Close").click()
    open_tile = page.locator("#images .open").nth(1)
    open_tile.dispatch_event("pointerdown", {"pointerType": "touch", "bubbles": True})
    expect(page.locator("#selection-count")).to_have_text("1 selected")  # a long press
    page.get_by_text("More filters").click()
    page.locator("#switch").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_a_timeline_shows_when_and_where_images_were_taken(page: Page, running: PicTrace, collection: str) -> None:
    photo = encoded(pixels("coffee.png"))
    paris = taken(photo, "2023:08:05 23:30:00", offset="+02:00", camera="Pixel 4a", place=(-48.85, 2.35))
    for name, data in (
        ("paris.jpg", paris),
        ("old.jpg", taken(encoded(pixels("chelsea.png")), "1998:06:07 08:09:10")),
        ("new.png", noise(8_190)),
    ):
        running.add(data, collection=collection, name=name)
    page.goto(f"{running.url}/?collection={collection}")
    expect(page.locator(".month")).to_have_count(0)
    page.get_by_label("Sort by").select_option("taken")
    expect(page.locator(".month")).to_have_text([re.compile(r"\w+ 20\d\d"), "August 2023", "June 1998"])
    expect(page.locator("#images .open")).to_have_count(3)
    page.get_by_label("Jump to").fill("2023-08-31")
    expect(page.locator(".month")).to_have_text(["August 2023", "June 1998"])
    expect(page).to_have_url(re.compile("taken_to=2023-08-31"))
    page.get_by_role("button", name="Open paris.jpg").click()
    line = page.locator("#viewer .capture")
    expect(line).to_have_text("Aug 5, 2023, 11:30 PM (UTC+02:00) · Pixel 4a · 48.85000° S, 2.35000° E")
    expect(line.locator("a")).to_have_attribute("href", re.compile("openstreetmap.org/.*mlat=-48.85&mlon=2.35"))
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert not [name for name in loaded if "openstreetmap" in name]
    page.go_back()
    page.get_by_label("Order").select_option("oldest")
    page.set_input_files("#files", [file("between.jpg", taken(photo, "2011:12:13 14:15:16"))])
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(".month").first).to_have_text("June 1998")
    expect(page.locator(".month").nth(1)).to_have_text("December 2011")
