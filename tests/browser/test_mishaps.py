"""What the page does about a double click, a slip of the mouse, a refusal and an old link."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.conftest import needs_chromium
from tests.browser.scripted_api import PICTURE, SHARE, URL, ScriptedApi, album, group, image_id, person, record

pytestmark = needs_chromium

FIRST = f"/v1/images/{image_id(1)}"


@pytest.fixture
def api(desktop: Page) -> Iterator[ScriptedApi]:
    """The API of the page `desktop`, which must log no error."""
    errors: list[str] = []
    desktop.on("pageerror", lambda error: errors.append(str(error)))
    yield ScriptedApi(desktop)
    assert errors == []


def view_first(page: Page) -> None:
    page.goto(f"{URL}/")
    page.get_by_role("button", name="Open f1.png").click()
    expect(page.locator("#viewer-title")).to_have_text("f1.png")


def test_a_double_click_or_a_held_key_does_not_confirm_a_deletion(desktop: Page, api: ScriptedApi) -> None:
    view_first(desktop)
    delete = desktop.locator("#viewer button.danger")
    delete.dblclick()
    expect(delete).to_have_text("Really delete?")
    desktop.keyboard.press("Tab")
    expect(delete).to_have_text("Delete")  # what has lost the focus asks again
    delete.focus()
    for _ in range(5):
        desktop.keyboard.down("Enter")  # repeated, as by a key that is held
    desktop.keyboard.up("Enter")
    expect(delete).to_have_text("Really delete?")
    assert api.count(f"DELETE {FIRST}") == 0
    delete.click()
    expect(desktop.locator("#toast")).to_contain_text("Deleted.")
    assert api.count(f"DELETE {FIRST}") == 1

    api.answers["GET /v1/duplicates"] = {"groups": [group(record(1), record(2))], "cursor": None}
    desktop.goto(f"{URL}/?view=duplicates")
    desktop.get_by_role("button", name="Delete the other").dblclick()
    expect(desktop.get_by_role("button", name="Really delete the other?")).to_be_enabled()
    assert api.count("POST /v1/duplicates/resolve") == 0


def box_of(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box
    return box


def drag(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*places[0])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(x, y, steps=3)
    page.mouse.up()


def test_a_drag_that_leaves_the_viewer_neither_closes_it_nor_goes_on(desktop: Page, api: ScriptedApi) -> None:
    view_first(desktop)
    viewer, stage = desktop.locator("#viewer"), desktop.locator("#viewer .stage")
    box = box_of(stage)
    stage.dispatch_event("pointerdown", {"pointerId": 1, "pointerType": "mouse", "buttons": 1})
    desktop.keyboard.press("+")
    zoomed = stage.locator("img").get_attribute("style")
    desktop.mouse.move(box["x"] + 20, box["y"] + 20)
    desktop.mouse.move(box["x"] + 60, box["y"] + 60)  # no button is held any more
    assert stage.locator("img").get_attribute("style") == zoomed

    desktop.get_by_text("Your notes").click()
    note = viewer.get_by_role("textbox", name="Note", exact=True)
    note.fill("not saved yet")
    text, shown = box_of(note), box_of(viewer)
    inside, outside = (text["x"] + 100, text["y"] + 10), (shown["x"] - 20, text["y"] + 10)
    drag(desktop, inside, outside)
    drag(desktop, outside, inside)
    drag(desktop, outside, (shown["x"] + 5, text["y"] + 10))  # its padding
    expect(note).to_have_value("not saved yet")
    drag(desktop, outside, outside)
    expect(viewer).to_be_hidden()


def test_a_link_that_is_shown_once_is_not_lost(desktop: Page, api: ScriptedApi) -> None:
    desktop.add_init_script(
        "navigator.clipboard.writeText = async (words) => {"
        "  if (window.forbidden) throw new Error('forbidden'); window.copied = words; }"
    )
    old = SHARE | {"share_id": "old", "created_at": "2025-12-01T00:00:00Z"}
    api.answers["GET /v1/albums/a1/shares"] = {"shares": [old]}
    desktop.goto(f"{URL}/?album=a1")
    desktop.locator("#share-album").click()
    create = desktop.get_by_role("button", name="Create a link")
    expect(desktop.locator("#share-list li")).to_have_count(1)
    api.held["POST /v1/albums/a1/shares"] = []
    create.click()
    desktop.locator("#share-days").press("Enter")
    expect(create).to_be_disabled()
    api.release("POST /v1/albums/a1/shares")
    expect(desktop.locator("#share-list li")).to_have_count(2)
    assert api.count("POST /v1/albums/a1/shares") == 1  # a second one would take the place of the first

    status, copy = desktop.locator("#share-status"), desktop.get_by_role("button", name="Copy", exact=True)
    copy.click()
    expect(status).to_have_text("Copied.")
    assert desktop.evaluate("copied") == f"{URL}/shared/token"
    for broken in ("window.forbidden = true", "Object.defineProperty(navigator, 'clipboard', { value: undefined })"):
        desktop.evaluate(broken)
        copy.click()
        expect(status).to_contain_text("Copy the link by hand")
        assert desktop.evaluate("getSelection().toString()") == f"{URL}/shared/token"

    revoke = desktop.get_by_role("button", name="Revoke the link of")
    revoke.first.click()
    expect(desktop.locator("#confirm")).to_contain_text("The same link cannot be created again.")
    desktop.get_by_role("button", name="Not now").click()
    revoke.first.click()
    desktop.locator("#confirm-yes").click()
    expect(desktop.locator("#share-list li")).to_have_count(1)
    assert api.count("DELETE /v1/albums/a1/shares/old") == 1
    expect(desktop.locator("#share-url")).to_be_visible()  # it is the other link
    expect(revoke).to_be_focused()


def test_images_that_were_taken_out_of_an_album_can_be_put_back(desktop: Page, api: ScriptedApi) -> None:
    api.answers["GET /v1/albums/a1"] = album(cover=image_id(1))
    api.answers["PATCH /v1/albums/a1/images"] = {"album": album(cover=image_id(2)), "missing": []}
    api.answers["PATCH /v1/albums/a1"] = album(cover=image_id(1))
    api.held["GET /v1/albums/a1"] = []
    desktop.goto(f"{URL}/?album=a1")
    desktop.get_by_label("Select f1.png").check()
    expect(desktop.locator("#unalbum-selected")).to_be_hidden()  # the album is not known yet
    api.release("GET /v1/albums/a1")
    desktop.locator("#unalbum-selected").click()
    expect(desktop.locator("#images > li")).to_have_count(5)
    desktop.get_by_role("button", name="Undo").click()
    expect(desktop.locator("#images > li")).to_have_count(6)
    expect(desktop.locator("#toast")).to_contain_text("1 image added to “Summer”.")
    bodies = [call.body for call in api.calls if call.method == "PATCH"]
    assert bodies == [{"remove": [image_id(1)]}, {"add": [image_id(1)]}, {"cover": image_id(1)}]


def test_what_is_sent_twice_is_created_once(desktop: Page, api: ScriptedApi) -> None:
    create = "POST /v1/albums"
    api.answers[create] = album(title="New")
    api.answers["PATCH /v1/albums/a1/images"] = {"album": album(), "missing": []}
    for address, field, open_it in (("/?view=albums", "#new-album-title", None), ("/", "#choose-new-title", "f1.png")):
        desktop.goto(f"{URL}{address}")
        if open_it:
            desktop.get_by_label(f"Select {open_it}").check()
            desktop.locator("#album-selected").click()
        expect(desktop.get_by_text("Summer")).to_be_visible()
        before, api.held[create] = api.count(create), []
        desktop.locator(field).fill("New")
        desktop.keyboard.press("Enter")
        desktop.keyboard.press("Enter")
        api.release(create)
        expect(desktop.get_by_text("New", exact=True)).to_have_count(1)
        assert api.count(create) == before + 1
    expect(desktop.locator("#toast")).to_contain_text("added to “New”")


def test_an_answer_about_people_counts_once(desktop: Page, api: ScriptedApi) -> None:
    people = [person(name) for name in ("Ada", "Ben", "Cem")]
    api.answers["GET /v1/people"] = {"people": people, "cursor": None}
    pairs = [{"person": people[at], "other": {"person": people[at + 1]}} for at in range(2)]
    api.answers["GET /v1/people/suggestions"] = {"pairs": pairs, "cursor": None}
    api.answers["POST /v1/people/Ada/apart"] = {}
    desktop.goto(f"{URL}/?view=people")
    shown, no = desktop.locator("#same-pair figcaption"), desktop.locator("#same-no")
    expect(shown).to_contain_text(["Ada", "Ben"])
    api.held["POST /v1/people/Ada/apart"] = []
    no.focus()
    for _ in range(2):
        desktop.keyboard.press("Enter")
    expect(desktop.locator("#same-skip")).to_be_disabled()
    api.release("POST /v1/people/Ada/apart")
    expect(shown).to_contain_text(["Ben", "Cem"])
    expect(no).to_be_focused()
    assert api.count("POST /v1/people/Ada/apart") == 1
    desktop.locator("#same-skip").click()
    expect(desktop.locator("#same")).to_be_hidden()
    expect(desktop.locator("#people-title")).to_be_focused()


def test_the_end_of_a_page_of_a_shared_album_is_passed_once(desktop: Page, api: ScriptedApi) -> None:
    images = "GET /v1/shared/token/images"
    shared = [{"image_id": image_id(at), "thumbnail_url": PICTURE, "taken_at": None} for at in range(8)]
    api.answers["GET /v1/shared/token"] = {"title": "Summer", "description": None, "expires_at": SHARE["expires_at"]}
    api.answers[images] = lambda call: (
        {"images": shared[4:], "cursor": None} if "cursor" in call.query else {"images": shared[:4], "cursor": "4"}
    )
    desktop.goto(f"{URL}/shared/token")
    tiles, shown = desktop.locator("#images li"), desktop.locator("#shown")
    tiles.nth(3).get_by_role("button").click()
    api.refused[images] = 503
    desktop.keyboard.press("ArrowRight")
    expect(desktop.locator("#taken")).to_have_text("refused with 503")
    api.refused.clear()
    api.held[images] = []
    desktop.keyboard.press("ArrowRight")
    desktop.keyboard.press("ArrowRight")
    api.release(images)
    expect(tiles).to_have_count(8)
    expect(shown).to_have_attribute("alt", "image 5")
    desktop.wait_for_timeout(100)
    expect(tiles).to_have_count(8)


def test_the_focus_stays_where_it_is_of_use(desktop: Page, api: ScriptedApi) -> None:
    api.answers["GET /v1/people"] = {"people": [person(name) for name in ("Ada", "Ben")], "cursor": None}
    for name in ("Ada", "Ben"):
        api.answers[f"PATCH /v1/people/{name}"] = person(name)
    view_first(desktop)
    step = desktop.get_by_role("button", name="Next image")
    step.focus()
    for number in (2, 3):
        desktop.keyboard.press("Enter")
        expect(desktop.locator("#viewer-title")).to_have_text(f"f{number}.png")
        expect(step).to_be_focused()
    desktop.get_by_role("button", name="Download").focus()
    desktop.keyboard.press("ArrowRight")
    expect(desktop.locator("#viewer-title")).to_have_text("f4.png")
    expect(desktop.locator("#viewer-close")).to_be_focused()

    desktop.goto(f"{URL}/?tag=cat,dog&filename=f")
    for left in ("dog", "“f”"):
        desktop.locator("#chips button").first.focus()
        desktop.keyboard.press("Enter")
        expect(desktop.get_by_label(f"Remove the condition {left}")).to_be_focused()
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#collection-title")).to_be_focused()

    desktop.goto(f"{URL}/?view=people")
    hide = desktop.get_by_role("button", name="Hide")
    expect(hide).to_have_count(2)
    hide.first.click()
    expect(hide).to_have_count(1)
    expect(hide).to_be_focused()
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#people-title")).to_be_focused()


def test_a_message_is_in_front_of_a_dialog(desktop: Page, api: ScriptedApi) -> None:
    view_first(desktop)
    toast = desktop.locator("#toast")
    api.refused[f"PATCH {FIRST}"] = 400
    desktop.locator("#viewer .heart").click()
    expect(toast).to_contain_text("could not be changed. refused with 400")
    assert on_top(toast)
    desktop.get_by_role("button", name="Add to album").click()
    expect(desktop.locator("#choose-album #toast")).to_be_visible()
    assert on_top(toast)
    desktop.keyboard.press("Escape")
    expect(desktop.locator("#viewer > #toast")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(desktop.locator("body > #toast")).to_be_visible()


def on_top(element: Locator) -> bool:
    """Whether an element is what is seen, and clicked, at its place."""
    found: bool = element.evaluate(
        """(one) => {
            const { left, top, width, height } = one.getBoundingClientRect();
            return one.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        }"""
    )
    return found


def test_every_condition_can_be_removed(desktop: Page, api: ScriptedApi) -> None:
    api.answers["GET /v1/people/Ada"] = person("Ada")
    api.answers["GET /v1/images"] = {"images": [], "cursor": None}
    desktop.goto(f"{URL}/?people=Ada,unknown&label=cat")
    chips = desktop.locator("#chips .chip")
    expect(chips).to_have_text(["cat ×", "Ada ×", "Person ×"])
    desktop.get_by_label("Remove the condition cat").click()
    desktop.get_by_label("Remove the condition Person").click()
    expect(desktop).to_have_url(f"{URL}/?people=Ada")
    expect(desktop.locator("#nothing")).to_have_text("No image here meets these filters.")
    desktop.locator("#clear-filters").click()
    expect(desktop).to_have_url(f"{URL}/")
    expect(desktop.locator("#nothing")).to_have_text("The collection is empty. Upload your first image.")


def test_a_date_that_is_typed_is_one_step(desktop: Page, api: ScriptedApi) -> None:
    desktop.goto(f"{URL}/")
    field, tiles = desktop.get_by_label("Jump to"), desktop.locator("#images > li")
    expect(tiles).to_have_count(6)
    for keys, leave, day in (("08312026", "Enter", "2026-08-31"), ("09302025", None, "2025-09-30")):
        length, calls = desktop.evaluate("history.length"), api.count("GET /v1/images")
        field.focus()
        desktop.keyboard.type(keys)
        expect(field).to_have_value(day)
        assert api.count("GET /v1/images") == calls
        if leave:
            desktop.keyboard.press(leave)
        desktop.locator("#find-text").focus()
        expect(desktop).to_have_url(f"{URL}/?until={day}")
        expect(tiles).to_have_count(6)
        assert desktop.evaluate("history.length") == length + 1
        assert api.count("GET /v1/images") == calls + 1
    field.fill("0202-08-31")
    assert desktop.url == f"{URL}/?until=2025-09-30"


SEARCHES = """async () => {
    const input = document.getElementById("file");
    const byFile = (file) => {
        const chosen = new DataTransfer();
        chosen.items.add(file);
        input.files = chosen.files;
        input.dispatchEvent(new Event("change"));
    };
    const addresses = new Set();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (file) => {
        const address = createObjectURL.call(URL, file);
        addresses.add(address);
        return address;
    };
    URL.revokeObjectURL = (address) => addresses.delete(address) && revokeObjectURL.call(URL, address);
    const canvas = new OffscreenCanvas(9, 9);
    canvas.getContext("2d").fillRect(0, 0, 9, 9);
    let shrink;
    const shrunk = new Promise((resolve) => (shrink = resolve));
    window.createImageBitmap = () => shrunk;
    byFile(new File([new Uint8Array(5_000_000)], "large.png"));
    for (let number = 0; number < 14; number++) {
        byFile(new File([String(number)], `${number}.png`));
        const name = document.getElementById("query-name");
        const late = performance.now() + 20_000;
        while (name.textContent !== `${number}.png` && performance.now() < late)
            await new Promise(requestAnimationFrame);
    }
    shrink(canvas.transferToImageBitmap());
    await new Promise((resolve) => setTimeout(resolve, 500)); // a search by the first file would begin now
    return addresses.size;
}"""
"""Search by a file that takes long to be made smaller, and meanwhile by others; return how many addresses are kept."""

DROP = """async () => {
    const { dropped } = await import("/static/files.js");
    const read = (name) => (done, fail) => (name ? done(new File([], name)) : fail(new Error()));
    const file = (name) => ({ isFile: true, file: read(name) });
    const folder = (...entries) => {
        const parts = [entries, []];
        return { isDirectory: true, createReader: () => ({ readEntries: (done) => done(parts.shift()) }) };
    };
    const gone = { isDirectory: true, createReader: () => ({ readEntries: (done, fail) => fail(new Error()) }) };
    const entry = folder(file("a.png"), file(null), gone, folder(file("b.png")));
    const { files } = await dropped({ files: [], items: [{ webkitGetAsEntry: () => entry }] });
    return files.map(({ name }) => name);
}"""
"""Drop a folder in which a file and a folder cannot be read; return the names of the files."""


def test_the_file_that_was_chosen_last_is_searched_for(desktop: Page, api: ScriptedApi) -> None:
    api.answers["POST /v1/search"] = {"matches": [], "model": "m", "candidates": 0, "low_information": False} | {
        "took_ms": {"total": 1}
    }
    desktop.goto(f"{URL}/")
    expect(desktop.locator("#count")).to_be_visible()
    assert desktop.evaluate(SEARCHES) <= 10
    expect(desktop.locator("#query-name")).to_have_text("13.png")
    assert api.count("POST /v1/search") == 14


def test_what_cannot_be_read_of_a_dropped_folder_is_counted(desktop: Page, api: ScriptedApi) -> None:
    desktop.goto(f"{URL}/")
    assert desktop.evaluate(DROP) == ["a.png", "b.png"]
    expect(desktop.locator("#toast")).to_have_text("2 files or folders could not be read.")
    assert api.count("POST /v1/uploads") == 0


def test_links_that_have_ended_are_replaced(desktop: Page, api: ScriptedApi) -> None:
    original, old, new = "/static/original.heic", "/static/old.webp", "/static/icon.svg?renewed"
    heic = [record(number, format="heic", thumbnail_url=old) for number in (1, 2)]
    for image in heic:
        api.answers[f"GET /v1/images/{image['image_id']}/content"] = {"url": original}
        api.answers[f"GET /v1/images/{image['image_id']}/thumbnail"] = {"url": new}
    api.answers["GET /v1/images"] = {"images": heic, "cursor": None}
    api.answers["GET /v1/albums"] = {"albums": [album(cover=image_id(1), cover_url=old)], "cursor": None}
    api.answers["GET /v1/duplicates"] = {"groups": [group(*heic)], "cursor": None}
    view_first(desktop)
    expect(desktop.locator("#viewer .stage img")).to_have_attribute("src", new)
    api.refused[f"GET /v1/images/{image_id(2)}/thumbnail"] = 404
    desktop.keyboard.press("ArrowRight")
    expect(desktop.locator("#viewer .problem")).to_have_text("refused with 404")
    api.refused.clear()
    desktop.goto(f"{URL}/?view=albums")
    expect(desktop.locator("#album-list img")).to_have_attribute("src", new)
    desktop.goto(f"{URL}/?view=duplicates")
    desktop.get_by_role("button", name="Compare f2.png").click()
    sides = desktop.locator("#compare .stage img")
    expect(sides).to_have_count(2)
    for side in sides.all():
        expect(side).to_have_attribute("src", new)
    expect(desktop.locator("#missing")).to_be_hidden()
