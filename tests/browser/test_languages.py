"""The page speaks the browser's language, or the one that is chosen, and fits a telephone in each."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import PATIENCE_MS, needs_chromium
from tests.conftest import PicTrace
from tests.images import encoded, pixels
from tests.languages import LANGUAGES

pytestmark = needs_chromium

TITLES = {
    "en": "Have we seen this image?",
    "de": "Haben wir dieses Bild schon gesehen?",
    "ja": "この画像、見たことがありますか？",
    "ko": "이 이미지를 본 적이 있나요?",
    "ru": "Мы уже видели это изображение?",
    "zh": "我们见过这张图片吗？",
}
TELEPHONE = 390


def shot(page: Page, name: str) -> None:
    """Keep a screenshot if a folder for them is named."""
    if folder := os.environ.get("PICTRACE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_page_speaks_the_browsers_language_and_fits_a_telephone(
    browser: Browser, pictrace: PicTrace, language: str
) -> None:
    cat: FilePayload = {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": encoded(pixels("chelsea.png")[20:270])}
    context = browser.new_context(
        locale=f"{language}-XX", viewport={"width": TELEPHONE, "height": 844}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(pictrace.url)
    expect(page.locator("#title")).to_have_text(TITLES[language])
    assert page.evaluate("document.documentElement.lang") == language
    expect(page.locator("#images li").first).to_be_visible()
    assert wide(page) <= TELEPHONE
    shot(page, f"{language}-collection")
    page.set_input_files("#file", cat)
    expect(page.locator("#matches .card").first).to_be_visible()
    assert wide(page) <= TELEPHONE
    shot(page, f"{language}-search")
    page.goto(f"{pictrace.url}/?view=trash")
    expect(page.locator("#trash-title")).to_be_visible()
    assert wide(page) <= TELEPHONE
    context.close()


def test_a_chosen_language_stays(desktop: Page, pictrace: PicTrace) -> None:
    desktop.goto(pictrace.url)
    expect(desktop.locator("#title")).to_have_text(TITLES["en"])
    desktop.select_option("#language", "ja")
    expect(desktop.locator("#title")).to_have_text(TITLES["ja"])
    desktop.reload()
    expect(desktop.locator("#title")).to_have_text(TITLES["ja"])
    expect(desktop.locator("#language")).to_have_value("ja")


def test_without_its_strings_the_page_is_in_english(browser: Browser, pictrace: PicTrace) -> None:
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.route("**/strings.de.js", lambda route: route.abort())
    page.goto(pictrace.url)
    expect(page.locator("#title")).to_have_text(TITLES["en"])
    expect(page.locator("#images li").first).to_be_visible()
    context.close()
