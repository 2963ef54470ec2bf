"""Albums, favourites and tags on the page, and the page of a link to an album."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import needs_chromium
from tests.conftest import PicTrace
from tests.images import noise, shipped

pytestmark = needs_chromium


@pytest.fixture
def page(desktop: Page, running: PicTrace, collection: str) -> Iterator[Page]:
    """The page of a collection with a cat and two images of noise; it must log no error."""
    running.add(shipped("chelsea.png").read_bytes(), collection=collection, name="cat.png")
    for at in range(2):
        running.add(noise(15_300 + at), collection=collection, name=f"image {at}.png")
    errors: list[str] = []
    desktop.on("pageerror", lambda error: errors.append(str(error)))
    desktop.goto(f"{running.url}/?collection={collection}")
    expect(desktop.locator("#images > li")).to_have_count(3)
    yield desktop
    assert errors == []


def select(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=f"Open {name}").focus()
        page.keyboard.press("Space")


def shown(page: Page) -> list[str]:
    return [
        re.sub("^Open ", "", name)
        for name in page.locator("#images .open").evaluate_all(
            "all => all.map((one) => one.getAttribute('aria-label'))"
        )
    ]


def test_tags_and_favourites_are_changed_and_found(page: Page, running: PicTrace, collection: str) -> None:
    page.get_by_role("button", name="Open cat.png").click()
    tags = page.locator("#viewer .tags")
    expect(tags.locator(".chip")).to_have_text(["cat×"])
    tags.get_by_label("Add a tag").fill("Our Cat")
    page.keyboard.press("Enter")
    expect(tags.locator(".chip")).to_have_text(["our cat×", "cat×"])
    tags.get_by_label("Remove the tag cat", exact=True).click()
    expect(tags.locator(".chip")).to_have_text(["our cat×"])
    heart = page.locator("#viewer .heart")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    tags.get_by_role("button", name="our cat", exact=True).click()
    expect(page).to_have_url(re.compile("tag=our"))
    expect(page.locator("#images > li")).to_have_count(1)
    page.get_by_label("Remove the condition our cat").click()

    select(page, "image 0.png", "image 1.png")
    page.locator("#tag-selected").click()
    page.get_by_label("Tag", exact=True).fill("noise")
    page.get_by_role("button", name="Give").click()
    expect(page.locator("#toast")).to_contain_text("2 images now have the tag “noise”.")
    page.reload()
    page.locator("#find-text").fill("noise, our cat")
    page.keyboard.press("Enter")
    expect(page.locator("#images > li")).to_have_count(3)
    page.get_by_role("button", name="one of them is enough").click()
    expect(page.locator("#nothing")).to_be_visible()
    page.locator("#clear-filters").click()
    page.locator("#find-text").fill("image 1")
    page.keyboard.press("Enter")
    expect(page.locator("#images > li")).to_have_count(1)
    page.locator("#clear-filters").click()
    expect(page.locator("#images > li")).to_have_count(3)

    page.get_by_role("button", name="Open image 1.png").focus()
    page.keyboard.press("f")
    expect(page.get_by_label("Make image 1.png a favourite")).to_have_attribute("aria-pressed", "true")
    page.locator("#only-favourites").click()
    expect(page.locator("#images > li")).to_have_count(2)
    assert shown(page) == ["image 1.png", "cat.png"]


def test_an_album_is_filled_shared_and_deleted(
    page: Page, browser: Browser, running: PicTrace, collection: str
) -> None:
    select(page, "cat.png", "image 1.png")
    page.locator("#album-selected").click()
    page.locator("#choose-new-title").fill("Ferien")
    page.get_by_role("button", name="Create and add").click()
    expect(page.locator("#toast")).to_contain_text("2 images added to “Ferien”.")
    page.get_by_role("link", name="Albums").click()
    card = page.locator("#album-list a")
    expect(card).to_contain_text("Ferien")
    expect(card).to_contain_text("2 images")
    card.click()
    expect(page.locator("#collection-title")).to_have_text("Ferien")
    expect(page.locator("#hero")).to_be_hidden()
    expect(page.locator("#images > li")).to_have_count(2)

    page.locator("#edit-album").click()
    page.locator("#edit-album-title").fill("Holidays")
    page.locator("#edit-album-description").fill("<b>by the sea</b>")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#collection-title")).to_have_text("Holidays")
    expect(page.locator("#album-description")).to_have_text("<b>by the sea</b>")
    page.locator("#share-album").click()
    page.get_by_role("button", name="Create a link").click()
    expect(page.locator("#share-list li")).to_have_count(1)
    link = page.locator("#share-url").input_value()

    guest, asked = browser.new_page(viewport={"width": 390, "height": 844}), list[str]()
    guest.on("request", lambda request: asked.append(request.url))
    guest.goto(link)
    expect(guest.get_by_role("heading", name="Holidays")).to_be_visible()
    expect(guest.locator("#images > li")).to_have_count(2)
    guest.locator("#images .open").first.click()
    expect(guest.locator("#shown")).to_be_visible()
    guest.wait_for_load_state("networkidle")
    assert guest.locator("#shown").evaluate("image => image.naturalWidth") == 451
    calls = {
        url.split("?")[0].removeprefix(link.replace("/shared/", "/v1/shared/"))[:8] for url in asked if "/v1/" in url
    }
    assert calls == {"", "/images", "/images/"}
    assert "cat.png" not in guest.content()

    page.get_by_role("button", name="Revoke the link").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#share-list li")).to_have_count(0)
    guest.reload()
    expect(guest.locator("#problem")).to_have_text("There is no album under this link, or no longer.")
    guest.close()

    page.keyboard.press("Escape")
    select(page, "cat.png")
    page.locator("#unalbum-selected").click()
    expect(page.locator("#images > li")).to_have_count(1)
    page.locator("#delete-album").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#no-albums")).to_be_visible()
    page.get_by_role("link", name="Images").click()
    expect(page.locator("#images > li")).to_have_count(3)


def delete_album(page: Page) -> None:
    expect(page.locator("#collection-title")).to_have_text("Rome")
    page.locator("#delete-album").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#no-albums")).to_be_visible()


def test_a_deleted_album_is_brought_back_at_once_or_from_the_trash(
    page: Page, running: PicTrace, collection: str
) -> None:
    running.client.post("/v1/albums", json={"title": "Rome", "collection": collection}).raise_for_status()
    page.get_by_role("link", name="Albums").click()
    page.locator("#album-list a").click()
    delete_album(page)
    page.get_by_role("button", name="Undo").click()
    delete_album(page)
    page.get_by_role("link", name="Trash").click()
    expect(page.locator("#trashed li")).to_contain_text("Rome")
    page.get_by_role("button", name="Restore Rome").click()
    expect(page.locator("#trashed li")).to_have_count(0)
    page.get_by_role("link", name="Albums").click()
    expect(page.locator("#album-list a")).to_contain_text("Rome")
