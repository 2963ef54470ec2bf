"""The page speaks the browser's language, or the one that is chosen, and fits a telephone in each."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import PATIENCE_MS, needs_chromium
from tests.browser.scripted_api import SHARE, URL, ScriptedApi, image_id, record
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
EMPTY = {
    "en": "This album has no images.",
    "de": "Dieses Album hat keine Bilder.",
    "ja": "このアルバムに画像はありません。",
    "ko": "이 앨범에는 이미지가 없습니다.",
    "ru": "В этом альбоме нет изображений.",
    "zh": "此相册没有图片。",
}
CLOSE = {"en": "Close", "de": "Schließen", "ja": "閉じる", "ko": "닫기", "ru": "Закрыть", "zh": "关闭"}
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
    shared = context.new_page()
    api = ScriptedApi(shared)
    api.answers["GET /v1/shared/token"] = {"title": "T", "description": None, "expires_at": SHARE["expires_at"]}
    shared.goto(f"{URL}/shared/token")
    expect(shared.locator("#nothing")).to_have_text(EMPTY[language])
    assert shared.locator("#viewer .close").get_attribute("aria-label") == CLOSE[language]
    context.close()


def test_what_the_page_says_of_failures_is_translated(browser: Browser) -> None:
    context = browser.new_context(locale="de-CH")
    page = context.new_page()
    api = ScriptedApi(page)
    picture = "/static/gone.png"
    api.answers["GET /v1/images"] = {"images": [record(1, filename=None, thumbnail_url=picture)], "cursor": None}
    api.answers[f"GET /v1/images/{image_id(1)}/thumbnail"] = {"url": picture}
    page.goto(URL)
    expect(page.locator("#images .open")).to_have_attribute("title", "Bild 0000000000")
    expect(page.locator("#missing-text")).to_have_text(
        "1 Vorschaubild konnte nicht geladen werden. Der Speicher antwortet nicht."
    )
    page.route("**/v1/trash*", lambda route: route.abort())
    page.locator("#to-trash").click()
    expect(page.locator("#problem")).to_contain_text("Der Server antwortet nicht.")
    context.close()


@pytest.mark.parametrize(
    ("locale", "size", "pixels_known", "taken"),
    [
        ("en-GB", "1.5 MB", "1,200 × 800", "5 Aug 2023, 23:30"),
        ("de-DE", "1,5 MB", r"1\.200 × 800", "05.08.2023, 23:30"),
        ("de-CH", "1.5 MB", "1[’']200 × 800", "05.08.2023, 23:30"),
    ],
)
def test_numbers_and_times_are_those_of_the_region(
    browser: Browser, locale: str, size: str, pixels_known: str, taken: str
) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    api = ScriptedApi(page)
    api.answers["GET /v1/images"] = {"images": [record(1, taken_at="2023-08-05T23:30:00")], "cursor": None}
    page.goto(f"{URL}/?image={image_id(1)}")
    expect(page.locator("#viewer figcaption")).to_have_text(f"1200 × 800, PNG, {size}")
    expect(page.locator("#viewer .capture")).to_have_text(taken)
    expect(page.locator("#viewer .known")).to_contain_text(re.compile(pixels_known))
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
