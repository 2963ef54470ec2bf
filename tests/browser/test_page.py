"""The page in a real browser, against the running system."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, Request, Response, Route, expect

from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.vision.resizing import resize_square
from tests.browser.conftest import needs_chromium
from tests.conftest import PicTrace
from tests.images import encoded, noise, pixels, shipped
from tests.integration.conftest import until

pytestmark = needs_chromium


class MonitoredPage:
    """A page, with its errors and the hosts to which it sent requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self.hosts.add("/".join(request.url.split("/")[:3])))


@pytest.fixture
def monitored(desktop: Page, pictrace: PicTrace) -> Iterator[MonitoredPage]:
    """The page with a desktop viewport; at the end of the test it must have logged no error."""
    seen = MonitoredPage(desktop)
    desktop.goto(pictrace.url)
    desktop.wait_for_selector("#images img")
    desktop.wait_for_selector("#count:not(:empty)")  # loaded separately from the images, so it may come later
    yield seen
    assert seen.complaints == []
    own = {pictrace.url, pictrace.cloud.endpoint}
    assert {host for host in seen.hosts if host.startswith("http")} <= own


@pytest.fixture
def altered(tmp_path: Path) -> Path:
    """A rotated, cropped and strongly compressed copy of a sample image."""
    rgb = pixels("chelsea.png")
    path = tmp_path / "copy.jpg"
    path.write_bytes(encoded(np.ascontiguousarray(np.rot90(rgb[20:270, 30:400])), ".jpg", 1, 50))
    return path


def payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": data}


def test_a_search_by_an_altered_copy_ranks_its_original_first(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.set_input_files("#file", altered)
    first = page.locator("#matches .card").first
    expect(first).to_contain_text("Near-duplicate")
    expect(first).to_contain_text("chelsea.png")
    assert first.locator("meter").count() == 4
    expect(page.locator("#status")).to_contain_text("like it")
    assert page.evaluate("document.activeElement.id") == "results-title"
    first.locator("button.open").click()
    dialog = page.locator("#viewer")
    expect(dialog).to_contain_text("keypoints")
    expect(dialog).to_contain_text("451 × 300")
    dialog.get_by_role("button", name="More like this").click()
    expect(page.locator("#query-name")).to_have_text("chelsea.png")
    expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#matches, #unrelated").get_by_text("chelsea.png")).to_have_count(0)


def test_unrelated_results_are_collapsed_when_there_are_matches(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.set_input_files("#file", altered)
    expect(page.locator("#matches .card")).to_have_count(1)
    expect(page.locator("#keep")).to_be_visible()
    others = page.locator("#unrelated .card")
    expect(others).to_have_count(11)
    expect(others.first).to_be_hidden()
    page.get_by_text("Less similar images, probably unrelated (11)").click()
    expect(others.first).to_be_visible()
    page.locator("#matches .card button.open").click()
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#none")).to_be_visible()
    expect(others.first).to_be_visible()
    page.set_input_files("#file", shipped("chelsea.png"))
    expect(page.locator("#matches .card.identical")).to_have_count(1)
    expect(page.locator("#keep")).to_be_hidden()  # it is already in the collection


def test_a_match_is_drawn_and_described(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.set_input_files("#file", altered)
    page.locator("#matches .card button.open").first.click()
    dialog = page.locator("#viewer")
    drawing = dialog.locator(".drawing")
    expect(drawing).to_be_hidden()
    for name, said in (("Where they agree", "a line between"), ("Where they differ", "Heat map")):
        button = dialog.get_by_role("button", name=name)
        button.click()
        expect(drawing).to_be_visible()
        expect(button).to_have_attribute("aria-pressed", "true")
        text = drawing.get_attribute("alt") or ""
        assert said in text
        assert "match under one geometric transform" in text, "who cannot see it reads why"
        assert page.evaluate("document.querySelector('.drawing').naturalWidth") > 300
    dialog.get_by_role("button", name="Where they differ").click()
    expect(drawing).to_be_hidden()
    # If the query is a stored image, the drawing is made from its id.
    dialog.get_by_role("button", name="More like this").click()
    expect(page.locator("#none")).to_be_visible()
    page.locator("#unrelated .card button.open").first.click()
    dialog.get_by_role("button", name="Where they differ").click()
    expect(drawing).to_be_visible()


def test_an_overlay_is_marked_on_both_images(monitored: MonitoredPage) -> None:
    page, rgb = monitored.page, pixels("astronaut.png")
    rgb[430:] = 0
    rgb[455:490:4, 60:450] = 255
    page.set_input_files("#file", payload("captioned.png", encoded(rgb, ".png")))
    page.locator("#matches .card button.open").first.click()
    expect(page.locator("#viewer figure:has(.overlay)")).to_have_count(2)
    expect(page.locator("#viewer .legend")).to_contain_text("laid on top")


def test_near_duplicates_are_compared_and_those_that_are_not_kept_are_deleted(
    monitored: MonitoredPage, pictrace: PicTrace, tmp_path: Path
) -> None:
    page, rgb = monitored.page, pixels("astronaut.png")
    collection = f"c{uuid.uuid4().hex[:8]}"
    paths = [tmp_path / name for name in ("small.png", "large.png", "compressed.jpg")]
    paths[0].write_bytes(encoded(resize_square(rgb, 320), ".png"))
    paths[1].write_bytes(encoded(rgb, ".png"))
    paths[2].write_bytes(encoded(rgb, ".jpg", 1, 40))
    page.goto(f"{page.url}?collection={collection}")
    expect(page.locator("#nothing")).to_be_visible()
    for path in paths:
        page.set_input_files("#files", path)
        expect(page.locator("#uploads-status")).to_have_text("1 of 1 image is in the collection.")
    expect(page.locator("#collection-title")).to_have_text(f"The collection “{collection}”")
    section = page.locator("#duplicates")
    where = {"collection": collection}

    def grouped() -> int:
        groups = pictrace.client.get("/v1/duplicates", params=where).json()["groups"]
        return len(groups[0]["images"]) if groups else 0

    until(lambda: grouped() == 3)  # images are compared after their upload has been answered
    page.get_by_role("link", name="Duplicates").click()
    expect(section.get_by_role("heading", level=2)).to_have_text("3 copies of one image")
    copies = section.locator(".copies li")
    expect(copies.first).to_contain_text("Bestlarge.png512 × 512, PNG")
    copies.nth(1).get_by_role("button", name="Open").click()
    expect(page.locator("#viewer")).to_contain_text("compressed.jpg")
    page.keyboard.press("Escape")
    copies.nth(1).get_by_role("button", name="Compare").click()
    slider = page.get_by_label("Slider between large.png on the left")
    slider.fill("75")
    expect(page.locator("#compare .cut")).to_have_attribute("style", re.compile("75%"))
    page.keyboard.press("+")
    page.get_by_role("button", name="Side by side").click()
    expect(page.locator("#compare figure img")).to_have_count(2)
    page.locator("#compare .close").click()

    page.get_by_role("button", name="Resolve all groups").click()
    expect(page.locator("#preview-title")).to_have_text("Keep the best of 1 group and delete 2 images?")
    page.locator("#preview-yes").click()
    expect(page.locator("#no-groups")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(copies).to_have_count(3)

    section.get_by_role("link", name="Link to this group").click()
    expect(page).to_have_url(re.compile(r"view=duplicates&group=\w{64}$"))
    expect(page.locator("#all-groups")).to_be_visible()
    for name in ("small.png", "large.png"):
        prefer(page, name)
    copies.nth(1).get_by_label("Keep").check()
    section.get_by_role("button", name="Delete the other").click()
    section.get_by_role("button", name="Really delete the other?").click()
    expect(page.locator("#no-groups")).to_be_visible()
    page.get_by_role("link", name="Trash").click()
    expect(page.locator("#trashed li")).to_contain_text("small.png")
    page.get_by_role("link", name="Images").click()
    expect(page.locator("#images li")).to_have_count(2)
    expect(page.get_by_role("button", name="Open large.png")).to_be_visible()


def prefer(page: Page, name: str) -> None:
    """Choose the image of a group that is kept, and find it chosen after a reload."""
    kept = page.locator("#duplicates .copies li").first
    page.get_by_role("button", name=f"Prefer {name}").click()
    for _ in range(2):
        expect(kept).to_contain_text(f"Chosen{name}")
        expect(kept.get_by_label("Keep")).to_be_checked()
        page.reload()


def test_changing_the_ranking_or_effort_repeats_the_search(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.set_input_files("#file", altered)
    expect(page.locator("#matches .card").first).to_contain_text("chelsea.png")
    with page.expect_response(lambda answer: "ranking=classic&effort=balanced" in answer.url) as asked:
        page.get_by_text("Classic", exact=True).click()
    assert asked.value.ok
    with page.expect_response(lambda answer: "ranking=classic&effort=thorough" in answer.url) as asked:
        page.get_by_label("Effort").select_option("Thorough")
    assert asked.value.ok
    expect(page.locator("#status")).to_contain_text("compared")


def test_an_upload_is_followed_until_it_is_indexed_and_can_be_removed(monitored: MonitoredPage, tmp_path: Path) -> None:
    page = monitored.page
    name = "<img src=x onerror=alert(1)>.png"
    path = tmp_path / "a.png"
    path.write_bytes(noise(1234))
    before = page.locator("#count").inner_text()
    page.set_input_files("#files", payload(name, path.read_bytes()))
    row = page.locator("#uploads li").first
    expect(row).to_contain_text("Indexed")
    expect(row).to_contain_text(name)
    expect(page.locator("#count")).to_have_text(str(int(before) + 1))
    page.get_by_role("button", name=f"Open {name}").click()
    expect(page.locator("#viewer h2")).to_have_text(name)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Really delete?").click()
    expect(page.locator("#count")).to_have_text(before)
    expect(page.locator("#images .open").first).to_be_focused()  # the image that took its place
    assert page.locator("img[src=x]").count() == 0


def test_many_files_are_uploaded_a_few_at_a_time(monitored: MonitoredPage) -> None:
    page = monitored.page
    busy, most = set[str](), 0

    def asked(request: Request) -> None:
        nonlocal most
        if request.url.endswith("/v1/uploads"):
            busy.add(request.post_data or "")
            most = max(most, len(busy))

    def answered(answer: Response) -> None:
        if answer.url.endswith("/v1/uploads"):
            busy.discard(answer.request.post_data or "")

    page.on("request", asked)
    page.on("response", answered)
    files = [payload(f"many{number}.png", noise(9000 + number)) for number in range(9)]
    page.set_input_files("#files", files)
    expect(page.locator("#uploads li")).to_have_count(9)
    expect(page.locator("#uploads-status")).to_have_text("9 of 9 images are in the collection.")
    assert 1 <= most <= 4
    page.set_input_files("#files", files[:1])
    expect(page.locator("#uploads li")).to_have_count(1)
    expect(page.locator("#uploads li")).to_contain_text("Already in the collection")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(monitored: MonitoredPage, tmp_path: Path) -> None:
    page = monitored.page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(MAX_UPLOAD_BYTES + 1)
    page.set_input_files("#files", large)
    expect(page.locator("#uploads li")).to_contain_text("An image can have at most 100 MB.")
    expect(page.locator("#uploads-status")).to_contain_text(
        "0 of 1 image is in the collection. An image can have at most 100 MB."
    )
    assert "POST" not in sent


def test_a_file_that_is_not_an_image_is_rejected_with_a_reason(monitored: MonitoredPage) -> None:
    page = monitored.page
    page.set_input_files("#files", payload("a.png", b"no picture"))
    expect(page.locator("#uploads li").first).to_contain_text(
        "Rejected: The file is not an image in a supported format"
    )


def test_the_page_works_with_the_keyboard_alone(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.on("filechooser", lambda _: None)  # register early, so that the browser passes on the file chooser
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#choose")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(altered)
    expect(page.locator("#matches .card").first).to_contain_text("chelsea.png")
    page.locator("#matches button.open").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()


def test_a_pasted_image_starts_a_search(monitored: MonitoredPage, altered: Path) -> None:
    monitored.page.evaluate(
        """(bytes) => {
            const clipboard = new DataTransfer();
            clipboard.items.add(new File([new Uint8Array(bytes)], "pasted.jpg", { type: "image/jpeg" }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard }));
        }""",
        list(altered.read_bytes()),
    )
    expect(monitored.page.locator("#matches .card").first).to_contain_text("chelsea.png")


@pytest.mark.parametrize(
    ("name", "media_type"), [("dropped.jpg", "image/jpeg"), ("no ending", ""), ("a.txt", "text/plain")]
)
def test_a_dropped_image_starts_a_search(monitored: MonitoredPage, altered: Path, name: str, media_type: str) -> None:
    drop(monitored.page, name, media_type, altered.read_bytes())
    expect(monitored.page.locator("#matches .card").first).to_contain_text("chelsea.png")


def test_a_dropped_file_that_is_no_image_is_refused_by_what_it_is(monitored: MonitoredPage) -> None:
    drop(monitored.page, "a.jpg", "image/jpeg", b"%PDF-1.7" + bytes(100))
    expect(monitored.page.locator("#problem")).to_contain_text("The file is a PDF or PostScript document")
    monitored.complaints.clear()  # the browser logs the 415 itself


def drop(page: Page, name: str, media_type: str, data: bytes) -> None:
    page.evaluate(
        """([name, type, bytes]) => {
            const moved = new DataTransfer();
            moved.items.add(new File([new Uint8Array(bytes)], name, { type }));
            dispatchEvent(new DragEvent("drop", { dataTransfer: moved, cancelable: true }));
        }""",
        [name, media_type, list(data)],
    )


def test_an_image_of_more_pixels_than_a_request_may_have_is_reduced_first(
    monitored: MonitoredPage, altered: Path
) -> None:
    page = monitored.page

    def few_pixels(route: Route) -> None:
        stats = route.fetch().json()
        route.fulfill(json=stats | {"limits": stats["limits"] | {"max_query_pixels": 10_000}})

    page.route("**/v1/stats*", few_pixels)
    page.reload()
    page.wait_for_selector("#count:not(:empty)")
    with page.expect_request("**/v1/search*") as sent:
        page.set_input_files("#file", altered)
    assert b"WEBP" in (sent.value.post_data_buffer or b"")
    expect(page.locator("#matches .card").first).to_contain_text("chelsea.png")


def test_a_private_url_is_refused_with_an_explanation(monitored: MonitoredPage) -> None:
    page = monitored.page
    page.fill("#url", "http://127.0.0.1/a.jpg")
    page.press("#url", "Enter")
    expect(page.locator("#problem")).to_contain_text("public internet")
    monitored.complaints.clear()  # the browser logs the 422 itself


def test_a_dropped_url_starts_a_search_and_hides_older_results(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.set_input_files("#file", altered)
    expect(page.locator("#matches .card").first).to_contain_text("chelsea.png")
    page.evaluate(
        """() => {
            const moved = new DataTransfer();
            moved.setData("text/uri-list", "http://127.0.0.1/dragged.jpg");
            dispatchEvent(new DragEvent("drop", { dataTransfer: moved, cancelable: true }));
        }"""
    )
    expect(page.locator("#problem")).to_contain_text("public internet")
    expect(page.locator("#problem")).to_be_in_viewport()
    expect(page.locator("#results")).to_be_hidden()
    monitored.complaints.clear()


def test_an_unreachable_server_is_reported(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.context.set_offline(True)
    page.set_input_files("#file", altered)
    expect(page.locator("#problem")).to_have_text(
        "The server is not responding. Check your connection and that PicTrace is still running."
    )
    page.context.set_offline(False)
    page.set_input_files("#file", altered)
    expect(page.locator("#matches .card").first).to_contain_text("chelsea.png")
    expect(page.locator("#problem")).to_be_hidden()
    monitored.complaints.clear()


@pytest.mark.parametrize("width", [320, 375, 768])
def test_the_page_never_scrolls_sideways(monitored: MonitoredPage, altered: Path, width: int) -> None:
    page = monitored.page
    page.set_viewport_size({"width": width, "height": 800})
    page.set_input_files("#file", altered)
    expect(page.locator("#matches .card").first).to_contain_text("chelsea.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name_and_every_image_has_alt_text(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.set_input_files("#file", altered)
    expect(page.locator("#matches .card").first).to_contain_text("chelsea.png")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input:not([hidden]), meter, progress")]
            .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length))
            .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("h1:visible").count() == 1
    assert page.locator("[aria-live], [role=status]").count() >= 1


def test_the_background_is_still_when_reduced_motion_is_preferred(monitored: MonitoredPage) -> None:
    background = "document.getElementById('background').toDataURL()"
    before = monitored.page.evaluate(background)
    monitored.page.wait_for_timeout(300)
    assert monitored.page.evaluate(background) == before


def test_a_label_filters_the_listing_and_the_search(monitored: MonitoredPage, altered: Path) -> None:
    page = monitored.page
    page.set_input_files("#file", shipped("chelsea.png"))
    page.locator("#matches .card.identical button.open").click()
    label = page.locator("#viewer .labels button").first
    name = (label.text_content() or "").rsplit(" ", 2)[0]
    label.click()
    expect(page.locator("#label")).to_have_value(name)
    expect(page.locator("#images li")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "collection-title"
    page.set_input_files("#file", altered)
    expect(page.locator("#matches .card, #unrelated .card")).to_have_count(1)
    for typed, said in (("volcanoes", "No image here has this label."), ("", None)):
        page.locator("#label").fill(typed)
        page.locator("#label").press("Enter")
        if said:
            expect(page.locator("#nothing")).to_have_text(said)
    expect(page.locator("#images li").nth(5)).to_be_visible()
    expect(page.locator("#unrelated .card")).to_have_count(11)


def test_a_misspelt_label_is_reported_with_a_suggestion(desktop: Page, pictrace: PicTrace) -> None:
    desktop.goto(pictrace.url)
    desktop.locator("#label").fill("elefant")
    desktop.locator("#label").press("Enter")
    expect(desktop.locator("#problem")).to_contain_text("Did you mean elephant")
