"""What the page does about a double click, a slip of the mouse, a refusal and an old link."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.conftest import needs_chromium
from tests.browser.scripted_api import URL, ScriptedApi, image_id

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
