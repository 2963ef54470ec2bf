"""What the page does about a double click, a slip of the mouse, a refusal and an old link."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

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
