"""Where things are on the page: long names, small screens, fingers, and what is in front while a dialog is open."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, needs_chromium
from tests.browser.scripted_api import URL, Answer, ScriptedApi, group, image_id, person, record

pytestmark = needs_chromium

LONG = "Familie & Freunde: Hochzeiten, Geburtstage, Weihnachten und alles, was sonst noch so war"
LISTED = {"exact": True, "created_at": "2026-01-01T00:00:00Z", "faces": False}
COLLECTIONS: Answer = {
    "collections": [
        {"collection": "default", "title": None, "images": 6, **LISTED},
        {"collection": "familie", "title": LONG, "images": 248, **LISTED},
    ],
    "cursor": None,
}


@pytest.fixture
def api(desktop: Page) -> ScriptedApi:
    return ScriptedApi(desktop)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """An empty page on a small touch screen."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def fits(page: Page, selector: str) -> bool:
    """Return whether all that `selector` finds lies within the width of the element in which it can be scrolled."""
    inside: bool = page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].every((one) => {
            const { left, right } = one.getBoundingClientRect();
            const around = (one.closest("dialog") ?? document.documentElement).getBoundingClientRect();
            return left >= around.left && right <= around.right;
        })""",
        selector,
    )
    return inside


def test_a_long_title_of_a_collection_moves_nothing_out_of_sight(phone: Page) -> None:
    api = ScriptedApi(phone)
    api.answers["GET /v1/collections"] = COLLECTIONS
    api.answers["GET /v1/stats"] = lambda call: api.stats(call) | {"title": LONG, "images": 248}
    phone.goto(f"{URL}/?collection=familie")
    count = phone.locator("#count")
    expect(count).to_have_text("248")
    box = count.bounding_box()
    assert box
    assert box["width"] > box["height"]  # on one line
    phone.locator("#switch").tap()
    expect(phone.locator("#collection-list li")).to_have_count(2)
    assert fits(phone, "#collection-list button")


def test_two_persons_with_long_names_fit_a_phone(phone: Page) -> None:
    api = ScriptedApi(phone)
    long = "Maximiliane Schmidt-Großwallstadt von und zu Hohenlohe-Langenburg"
    api.answers["GET /v1/people"] = {"people": [person("a"), person("b")], "cursor": None}
    pair = {"person": person("a") | {"name": long}, "other": {"person": person("b") | {"name": long}}}
    api.answers["GET /v1/people/suggestions"] = {"pairs": [pair], "cursor": None}
    phone.goto(f"{URL}/?view=people")
    expect(phone.locator("#same")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == phone.evaluate("innerWidth")
    assert fits(phone, "#same-pair figure")


def test_a_finger_on_the_viewer_scrolls_it_and_goes_on(phone: Page) -> None:
    ScriptedApi(phone)
    phone.goto(f"{URL}/")
    phone.get_by_role("button", name="Open f2.png").tap()
    stage = phone.locator("#viewer .stage")
    expect(stage).to_have_css("touch-action", "pan-y")
    box = stage.bounding_box()
    assert box
    fingers = phone.context.new_cdp_session(phone)
    middle = box["y"] + box["height"] / 2

    def swipe(start: float, end: float, down: float = 0) -> None:
        for name, x, y in (("Start", start, middle), ("Move", end, middle + down)):
            fingers.send("Input.dispatchTouchEvent", {"type": f"touch{name}", "touchPoints": [{"x": x, "y": y}]})
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe(250, 100)
    expect(phone.locator("#viewer-title")).to_have_text("f3.png")
    swipe(100, 250)
    expect(phone.locator("#viewer-title")).to_have_text("f2.png")
    swipe(200, 180)  # too short
    phone.get_by_role("button", name="Zoom in").click()
    expect(stage).to_have_css("touch-action", "none")
    swipe(250, 100)  # moves what is zoomed
    phone.get_by_role("button", name="Fit").click()
    expect(stage).to_have_css("touch-action", "pan-y")
    expect(phone.locator("#viewer-title")).to_have_text("f2.png")
    phone.locator("#viewer").evaluate("(viewer) => viewer.scrollTo(0, 9999)")
    expect(phone.locator("#viewer-close")).to_be_in_viewport()
    phone.locator("#viewer-close").click()
    expect(phone.locator("#viewer")).to_be_hidden()


def test_the_progress_of_uploads_comes_into_view(phone: Page) -> None:
    api = ScriptedApi(phone)
    api.held["POST /v1/uploads"] = []
    phone.goto(f"{URL}/")
    expect(phone.locator("#images li")).to_have_count(6)
    phone.locator("#images li").last.scroll_into_view_if_needed()
    phone.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": b"x"})
    expect(phone.locator("#uploads-title")).to_be_in_viewport()


def test_an_empty_file_is_not_sent(desktop: Page, api: ScriptedApi) -> None:
    desktop.goto(f"{URL}/")
    desktop.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": b""})
    desktop.locator("#failures summary").click()
    expect(desktop.locator("#failed")).to_contain_text("The file is empty.")
    assert api.count("POST /v1/uploads") == 0


def test_questions_name_a_collection_as_the_page_does(desktop: Page, api: ScriptedApi) -> None:
    mine = [record(number, collection="familie") for number in range(1, 4)]
    api.answers["GET /v1/images"] = {"images": mine, "cursor": None}
    api.answers["GET /v1/stats"] = lambda call: api.stats(call) | {"title": LONG}
    desktop.goto(f"{URL}/?collection=familie")
    expect(desktop.locator("#switch-name")).to_have_text(LONG)
    desktop.get_by_label("Select f1.png").check()
    desktop.locator("#delete-selected").click()
    expect(desktop.locator("#confirm-text")).to_contain_text(LONG)


def test_problems_and_waiting_are_shown_in_front_of_a_dialog(desktop: Page, api: ScriptedApi) -> None:
    first = {"images": [record(number) for number in range(1, 7)], "cursor": "next"}
    api.answers["GET /v1/images"] = first
    api.answers["GET /v1/collections"] = COLLECTIONS
    desktop.goto(f"{URL}/")
    api.held["GET /v1/images"] = []
    desktop.locator("#more").click()
    desktop.locator("#switch").click()
    expect(desktop.locator("#collection-list li")).to_have_count(2)
    api.refused["GET /v1/images"] = 500
    api.release("GET /v1/images")
    message = desktop.locator("dialog#collections #toast")
    expect(message).to_contain_text("refused with 500")
    del api.refused["GET /v1/images"]
    message.get_by_role("button", name="Try again").click()
    expect(desktop.locator("#problem")).to_be_hidden()

    desktop.locator("#collections .close").click()
    api.refused["GET /v1/collections"] = 503
    desktop.locator("#switch").click()
    expect(message).to_contain_text("The server is busy. Trying again in")
    del api.refused["GET /v1/collections"]
    expect(desktop.locator("#collection-list li")).to_have_count(2)
    expect(message).to_be_hidden()


def test_the_focus_stays_near_what_was_restored_cleared_or_undone(desktop: Page, api: ScriptedApi) -> None:
    gone = {"trashed_at": "2026-01-01T00:00:00Z", "purged_at": "2026-02-01T00:00:00Z"}
    rows = [record(number, **gone) for number in (1, 2)]
    api.answers["GET /v1/trash"] = {"images": rows, "cursor": None, "days": 30}
    desktop.goto(f"{URL}/?view=trash")
    desktop.get_by_role("button", name="Restore f1.png").press("Enter")
    expect(desktop.get_by_role("button", name="Restore f2.png")).to_be_focused()
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#trash-title")).to_be_focused()

    desktop.goto(f"{URL}/")
    desktop.get_by_label("Select f3.png").check()
    desktop.locator("#clear-selection").click()
    expect(desktop.get_by_role("button", name="Open f3.png")).to_be_focused()
    desktop.get_by_label("Select f3.png").check()
    desktop.locator("#delete-selected").click()
    desktop.locator("#confirm-yes").click()
    expect(desktop.get_by_role("button", name="Open f4.png")).to_be_focused()
    desktop.get_by_role("button", name="Undo").click()
    expect(desktop.locator("#toast")).to_have_text("Restored.")
    expect(desktop.locator("#images .open:focus, #collection-title:focus")).to_have_count(1)


def test_the_image_in_focus_stays_so_when_the_grid_is_read_again(desktop: Page, api: ScriptedApi) -> None:
    desktop.goto(f"{URL}/?favourite=true")
    expect(desktop.locator("#images > li")).to_have_count(6)
    api.held["GET /v1/images"] = []
    desktop.locator("#only-favourites").click()
    image = desktop.get_by_role("button", name="Open f2.png")
    image.focus()
    api.release("GET /v1/images")
    expect(desktop.locator("#images[aria-busy]")).to_have_count(0)
    expect(image).to_be_focused()


def test_a_person_is_asked_for_where_the_api_looks_and_named_as_now(desktop: Page, api: ScriptedApi) -> None:
    api.answers["GET /v1/people"] = {"people": [person("anna"), person("ben")], "cursor": None}
    api.answers["GET /v1/people/suggestions"] = {"pairs": [], "cursor": None}
    api.answers["GET /v1/people/anna"] = person("anna") | {"name": "Anna"}
    desktop.goto(f"{URL}/?people=anna")
    expect(desktop.locator("#chips")).to_have_text("Anna ×")
    (asked,) = [call for call in api.calls if call.path == "/v1/people/anna"]
    assert "collection" not in asked.query
    expect(desktop.locator("#hero")).to_be_hidden()  # the images are what was asked for
    expect(desktop.locator("#to-people")).to_have_attribute("aria-current", "page")
    expect(desktop.locator("#collection-title")).to_have_attribute("aria-level", "1")

    api.answers["GET /v1/people/anna"] = person("anna") | {"name": "Anna Berg"}
    desktop.locator("#to-people").click()
    desktop.locator("#persons a").first.click()
    expect(desktop.locator("#chips")).to_have_text("Anna Berg ×")


def test_a_merge_says_who_is_left_and_keeps_the_focus(desktop: Page, api: ScriptedApi) -> None:
    people = [person("a") | {"name": "Anna"}, person("b") | {"name": None}, person("c") | {"name": None}]
    api.answers["GET /v1/people"] = {"people": people, "cursor": None}
    api.answers["GET /v1/people/suggestions"] = {"pairs": [], "cursor": None}
    for one in people:
        name = one["person_id"]
        api.answers[f"POST /v1/people/{name}/merge"] = {}
        api.answers[f"GET /v1/people/{name}"] = one | {"faces": 9}
    desktop.goto(f"{URL}/?view=people")
    merge = desktop.locator("#persons .merge")
    merge.nth(1).click()
    expect(desktop.locator("#merge-hint")).to_have_text("Choose the person that this one is merged into.")
    merge.nth(2).click()
    expect(desktop.locator("#toast")).to_contain_text("The two are one person now.")
    expect(merge.nth(2)).to_be_focused()
    merge.nth(0).click()
    merge.nth(1).click()
    expect(desktop.locator("#toast")).to_contain_text("Both are “Anna” now.")
    expect(merge.nth(1)).to_be_focused()


def test_an_empty_list_of_people_says_why(desktop: Page, api: ScriptedApi) -> None:
    collection = COLLECTIONS["collections"][0]
    api.answers["GET /v1/people"] = {"people": [], "cursor": None}
    api.answers["GET /v1/people/suggestions"] = {"pairs": [], "cursor": None}
    api.answers["GET /v1/collections/default"] = collection
    said = desktop.locator("#no-people")
    desktop.goto(f"{URL}/?view=people")
    expect(said).to_contain_text("once an administrator turns them on")
    api.answers["GET /v1/collections/default"] = collection | {"faces": True}
    desktop.reload()
    expect(said).to_contain_text("There is nobody here yet.")
    desktop.get_by_label("Hidden ones").check()
    expect(said).to_have_text("Nobody is hidden.")


def test_a_view_that_is_slow_says_so_and_shows_nothing_of_another_collection(desktop: Page, api: ScriptedApi) -> None:
    api.answers["GET /v1/duplicates"] = {"groups": [group(record(1), record(2))], "cursor": None}
    desktop.goto(f"{URL}/?view=duplicates")
    expect(desktop.locator("#groups > li")).to_have_count(1)
    expect(desktop.locator("#main")).not_to_have_attribute("aria-busy", "true")
    api.held["GET /v1/duplicates"] = []
    desktop.evaluate(
        "history.pushState({}, '', '/?collection=other&view=duplicates'); dispatchEvent(new Event('popstate'))"
    )
    expect(desktop.locator("#main")).to_have_attribute("aria-busy", "true")
    expect(desktop.locator("#groups > li")).to_have_count(0)
    api.release("GET /v1/duplicates")
    expect(desktop.locator("#groups > li")).to_have_count(1)
    expect(desktop.locator("#main")).not_to_have_attribute("aria-busy", "true")
    assert image_id(1) in (desktop.locator("#groups a").get_attribute("href") or "")
