"""What the page does when calls fail or are late: nothing is lost, and nothing is done that nobody sees."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Dialog, FilePayload, Page, Route, expect

from tests.browser.conftest import needs_chromium, stored_files
from tests.browser.scripted_api import URL, Answer, Call, ScriptedApi, image_id, record
from tests.integration.conftest import until

pytestmark = needs_chromium

NO_ANSWER = 599
"""In place of the status of a call that gets no answer."""
PLAIN: Answer = {"low_information": False, "took_ms": {"total": 1}}
NO_MATCHES: Answer = PLAIN | {"matches": [], "model": "m", "candidates": 0}


class FailingApi(ScriptedApi):
    """An API whose calls a test can also answer, or refuse with a status, one by one."""

    def __init__(self, page: Page) -> None:
        self.rule: Callable[[Call], Answer | int | None] = lambda _: None
        super().__init__(page)
        collections = [self.collection(name) for name in ("default", "a", "b")]
        self.answers |= {
            "POST /v1/uploads": {"upload_id": "u", "url": "/v1/post", "fields": {}, "expires_in": 900},
            "POST /v1/post": {},
            "GET /v1/uploads/u": {"status": "indexed"},
            "GET /v1/images": self._listing,
            "GET /v1/duplicates": {"groups": [], "cursor": None},
            "GET /v1/collections": {"collections": collections, "cursor": None},
        }

    @staticmethod
    def collection(name: str, **changes: object) -> Answer:
        state = {"collection": name, "title": None, "images": 6, "exact": True, "faces": False, "created_at": None}
        return state | changes

    @staticmethod
    def _listing(call: Call) -> Answer:
        of = call.query.get("collection", "default")
        return {"images": [record(number, collection=of) for number in range(1, 7)], "cursor": None}

    def bodies(self, name: str) -> list[Answer]:
        """Return what was sent with the calls of a method and path."""
        return [call.body for call in self.calls if f"{call.method} {call.path}" == name]

    def _answer_call(self, route: Route) -> None:
        answer = self.rule(self._call_of(route))
        if answer == NO_ANSWER:
            route.abort()
        elif isinstance(answer, int):
            route.fulfill(status=answer, json={"detail": f"refused with {answer}"})
        elif answer is not None:
            route.fulfill(json=answer)
        else:
            super()._answer_call(route)


@pytest.fixture
def api(desktop: Page) -> Iterator[FailingApi]:
    """The API of the page `desktop`, which must log no error."""
    errors: list[str] = []
    desktop.on("pageerror", lambda error: errors.append(str(error)))
    yield FailingApi(desktop)
    assert errors == []


def files(*names: str) -> list[FilePayload]:
    return [{"name": name, "mimeType": "image/png", "buffer": name.encode()} for name in names]


def show(page: Page, address: str) -> None:
    """Show an address of the page without loading it anew, as Back and Forward do."""
    page.evaluate(
        "address => { history.pushState({ depth: 1 }, '', address); dispatchEvent(new PopStateEvent('popstate')); }",
        address,
    )


def wait_until(page: Page, condition: Callable[[], object]) -> None:
    """Wait until a condition holds that calls of the page bring about."""

    def holds() -> bool:
        page.wait_for_timeout(20)
        return bool(condition())

    until(holds)


def test_uploads_go_to_the_collection_in_the_address_though_its_listing_fails(desktop: Page, api: FailingApi) -> None:
    desktop.goto(f"{URL}/?collection=a")
    expect(desktop.locator("#count")).to_be_visible()
    expect(desktop.locator("#switch-name")).to_have_text("a")
    api.rule = lambda call: 500 if call.path == "/v1/images" and call.query.get("collection") == "b" else None
    desktop.locator("#switch").click()
    desktop.locator("#collection-list a", has_text="b").click()
    expect(desktop.locator("#problem")).to_have_text("refused with 500")
    expect(desktop.locator("#switch-name")).to_have_text("b")
    expect(desktop.locator("#collection-title")).to_have_text("The collection “b”")
    desktop.set_input_files("#files", files("x.png"))
    expect(desktop.locator("#uploads-title")).to_have_text("Uploads to “b”")
    expect(desktop.locator("#uploads-status")).to_contain_text("1 of 1 image is")
    assert [sent["collection"] for sent in api.bodies("POST /v1/uploads")] == ["b"]

    api.rule = lambda _: None
    desktop.locator("#again").click()
    expect(desktop.locator("#images li")).to_have_count(6)
    api.held["GET /v1/stats"] = []
    show(desktop, "/?collection=a")
    expect(desktop.locator("#images li")).to_have_count(6)
    show(desktop, "/")  # `/v1/stats` of "a" answers last
    desktop.set_input_files("#files", files("y.png"))
    expect(desktop.locator("#uploads-status")).to_contain_text("1 of 1 image is")
    assert "collection" not in api.bodies("POST /v1/uploads")[1]
    api.held["GET /v1/stats"].reverse()
    api.release("GET /v1/stats")
    expect(desktop.locator("#switch-name")).to_have_text("default")


def test_a_collection_is_not_created_under_the_name_of_another(desktop: Page, api: FailingApi) -> None:
    api.answers["GET /v1/collections/ferien-1"] = api.collection("ferien-1", title="Ferien (1)")
    api.refused["GET /v1/collections/new"] = 404
    api.answers["PUT /v1/collections/new"] = api.collection("new", images=0)
    desktop.goto(URL)
    desktop.locator("#switch").click()
    name = desktop.get_by_label("Name of a new collection")
    name.fill("Ferien #1")
    desktop.get_by_role("button", name="Create").click()
    expect(desktop.locator("#collections-status")).to_contain_text("“Ferien (1)” has the name “ferien-1” already")
    assert [call for call in api.calls if call.method == "PUT"] == []
    name.fill("New")
    desktop.get_by_role("button", name="Create").click()
    expect(desktop).to_have_url(f"{URL}/?collection=new")
    assert api.bodies("PUT /v1/collections/new") == [{"title": "New"}]


def groups(count: int) -> list[Answer]:
    """Return groups of two images: 2 and 3, 4 and 5 …"""
    return [
        {
            "group_id": image_id(number),
            "best": image_id(number),
            "chosen": False,
            "truncated": number == 2,
            "reasons": {},
            "images": [record(number), record(number + 1)],
        }
        for number in range(2, 2 + 2 * count, 2)
    ]


class Groups:
    """Groups of near-duplicates that an API resolves, but for some that are gone or cannot be resolved."""

    def __init__(self, api: FailingApi, count: int) -> None:
        self.left = groups(count)
        self.refused: dict[str, int] = {}
        self.restored: list[str] = []
        api.rule = self._answer

    def _answer(self, call: Call) -> Answer | int | None:
        if call.path == "/v1/duplicates":
            return {"groups": self.left, "cursor": None}
        if call.path.endswith("/restore"):
            self.restored.append(call.path.split("/")[3])
        if call.path != "/v1/duplicates/resolve":
            return None
        wanted = [group["group_id"] for group in call.body["groups"]]
        if failures := [self.refused[group] for group in wanted if group in self.refused]:
            return failures[0]
        self.left = [group for group in self.left if group["group_id"] not in wanted]
        return {"groups": [{"group_id": group, "deleted": self._deleted(group)} for group in wanted]}

    @staticmethod
    def _deleted(group: str) -> list[Answer]:
        hidden = [{"image_id": image_id(999)}] if group == image_id(2) else []  # of a group that is truncated
        return [{"image_id": image_id(int(group, 16) + 1)}, *hidden]


def test_what_was_deleted_of_several_groups_is_restored_though_the_rest_fails(desktop: Page, api: FailingApi) -> None:
    resolved = Groups(api, 20)
    resolved.refused = {image_id(20): 404, image_id(36): 500}
    desktop.goto(f"{URL}/?view=duplicates")
    expect(desktop.locator("#groups > li").first).to_contain_text("Delete the 1+ others")
    desktop.locator("#resolve-all").click()
    expect(desktop.locator("#preview-title")).to_have_text("Keep the best of 20 groups and delete 20+ images?")
    desktop.locator("#preview-yes").click()
    # Of the first 16 groups, one is gone. The call with the other four fails.
    toast = desktop.locator("#toast")
    expect(toast).to_contain_text("5 groups could not be resolved; 16 images deleted. refused with 500")
    expect(desktop.locator("#groups > li")).to_have_count(5)
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_have_text("16 images restored.")
    assert sorted(resolved.restored) == sorted(
        [*(image_id(number + 1) for number in range(2, 34, 2) if number != 20), image_id(999)]
    )


def test_what_was_deleted_of_several_images_is_restored_though_one_fails(desktop: Page, api: FailingApi) -> None:
    api.refused[f"DELETE /v1/images/{image_id(3)}"] = 500
    desktop.goto(URL)
    desktop.locator("#images .open").first.focus()
    desktop.keyboard.press("Control+a")
    desktop.keyboard.press("Delete")
    desktop.locator("#confirm-yes").click()
    toast = desktop.locator("#toast")
    expect(toast).to_contain_text("1 image could not be deleted. refused with 500")
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_have_text("5 images restored.")
    assert api.count(f"POST /v1/trash/{image_id(3)}/restore") == 0


def test_another_view_starts_with_nothing_selected(desktop: Page, api: FailingApi) -> None:
    desktop.goto(URL)
    desktop.locator("#images .open").first.focus()
    desktop.keyboard.press("Control+a")
    expect(desktop.locator("#selection-count")).to_have_text("6 selected")
    desktop.locator("#to-trash").click()
    expect(desktop.locator("#no-trash")).to_be_visible()
    expect(desktop.locator("#selection")).to_be_hidden()
    desktop.go_back()
    expect(desktop.locator("#images li")).to_have_count(6)
    expect(desktop.locator("#images li.selected")).to_have_count(0)


def test_an_address_with_an_unknown_ranking_is_shown(desktop: Page, api: FailingApi) -> None:
    desktop.goto(f"{URL}/?ranking=%22classical")
    expect(desktop.locator("#images li")).to_have_count(6)
    expect(desktop.locator("[name=ranking]:checked")).to_have_count(0)
    desktop.get_by_text("All signals").click()
    expect(desktop).to_have_url(f"{URL}/")
    expect(desktop.get_by_label("All signals")).to_be_checked()


def test_the_key_is_not_forgotten_with_waiting_uploads_unless_somebody_agrees(desktop: Page, api: FailingApi) -> None:
    api.answers["GET /v1/uploads/u"] = {"status": "pending"}
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    desktop.on("dialog", agree)
    desktop.goto(URL)
    desktop.evaluate("sessionStorage.setItem('pictrace-key', 'k')")
    desktop.reload()
    desktop.set_input_files("#files", files(*(f"{at}.png" for at in range(20))))
    expect(desktop.locator("#uploads-status")).to_contain_text("0 of 20 files")
    forget, confirm = desktop.locator("#forget"), desktop.locator("#confirm")
    forget.click()
    expect(confirm).to_contain_text("Forget the key and 20 files?")
    confirm.get_by_role("button", name="Not now").click()
    expect(confirm).to_be_hidden()
    assert desktop.evaluate("sessionStorage.length") == 1
    forget.click()
    with desktop.expect_navigation():
        confirm.get_by_role("button", name="Forget the key").click()
    expect(desktop.locator("#images li")).to_have_count(6)
    expect(forget).to_be_hidden()
    expect(desktop.locator("#uploads-panel")).to_be_hidden()
    assert asked == []  # the browser does not ask a second time
    assert stored_files(desktop) == []


def test_a_search_without_candidates_does_not_say_that_nothing_is_alike(desktop: Page, api: FailingApi) -> None:
    api.answers["POST /v1/search"] = NO_MATCHES
    desktop.goto(URL)
    desktop.set_input_files("#file", files("x.png"))
    expect(desktop.locator("#none")).to_have_text("There is no other image here to compare it with.")
    api.answers["POST /v1/search"] = NO_MATCHES | {"candidates": 1}
    desktop.set_input_files("#file", files("y.png"))
    expect(desktop.locator("#none")).to_have_text("Nothing in the collection looks like it.")


def test_files_are_searched_for_though_another_tab_keeps_the_old_ones_open(desktop: Page, api: FailingApi) -> None:
    api.answers["POST /v1/search"] = NO_MATCHES
    desktop.goto(URL)
    desktop.set_input_files("#file", files("x.png"))
    expect(desktop.locator("#query-name")).to_have_text("x.png")
    other = desktop.context.new_page()
    FailingApi(other).answers["POST /v1/search"] = NO_MATCHES
    other.goto(URL)
    other.evaluate("sessionStorage.setItem('pictrace-key', 'k')")
    other.reload()
    with other.expect_navigation():
        other.locator("#forget").click()
    other.set_input_files("#file", files("y.png"))
    expect(other.locator("#query-name")).to_have_text("y.png")
    assert len(stored_files(other)) == 1  # the first tab let go of "x.png"

    # A tab with an earlier version of the page does not let go.
    desktop.evaluate(
        """() => new Promise((resolve) => {
            const request = indexedDB.open("pictrace-queries", 1);
            request.onsuccess = () => resolve((window.held = request.result) && null);
        })"""
    )
    other.evaluate("sessionStorage.setItem('pictrace-key', 'k')")
    other.reload()
    with other.expect_navigation():
        other.locator("#forget").click()
    other.set_input_files("#file", files("z.png"))
    expect(other.locator("#query-name")).to_have_text("z.png", timeout=10_000)


def test_the_page_keeps_the_last_20_files_that_were_searched_for(desktop: Page, api: FailingApi) -> None:
    desktop.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    desktop.goto(URL)
    kept = desktop.evaluate(
        """async () => {
            const queries = await import("/static/query_files.js");
            const ids = [];
            for (let at = 0; at < 21; at++) ids.push(await queries.keep(new File([`${at}`], `${at}.png`), null));
            const found = await Promise.all(ids.map(queries.find));
            return found.map((one) => one !== null);
        }"""
    )
    assert kept == [False, *[True] * 20]


def test_an_upload_that_was_sent_is_followed_though_calls_fail(desktop: Page, api: FailingApi) -> None:
    answers: list[int] = [NO_ANSWER, 502]
    api.rule = lambda call: answers.pop(0) if call.path == "/v1/uploads/u" and answers else None
    desktop.goto(URL)
    desktop.set_input_files("#files", files("x.png"))
    expect(desktop.locator("#uploads-status")).to_contain_text("1 of 1 image is")
    expect(desktop.locator("#failures")).to_be_hidden()

    answers.append(404)  # nobody knows the upload any more
    desktop.set_input_files("#files", files("y.png"))
    expect(desktop.locator("#failures-title")).to_have_text("1 file could not be added")
    sent = api.count("POST /v1/post")
    desktop.locator("#failures-title").click()
    desktop.get_by_role("button", name="Try y.png again").click()
    expect(desktop.locator("#uploads-status")).to_contain_text("1 of 1 image is")
    assert api.count("POST /v1/post") == sent + 1

    answers.append(400)  # such as a page that was left alone for too long
    desktop.set_input_files("#files", files("z.png"))
    expect(desktop.locator("#failures-title")).to_have_text("1 file could not be added")
    until(lambda: stored_files(desktop) == ["z.png"])
    desktop.reload()
    expect(desktop.locator("#uploads-status")).to_contain_text("1 of 1 image is")
    expect(desktop.locator("#failures")).to_be_hidden()
    assert api.count("POST /v1/post") == sent + 2


def test_uploads_wait_for_a_key_that_is_asked_for_once(desktop: Page, api: FailingApi) -> None:
    desktop.goto(URL)
    expect(desktop.locator("#count")).to_be_visible()
    api.rule = lambda call: 401 if call.path.startswith("/v1/uploads") else None
    desktop.set_input_files("#files", files(*(f"{at}.png" for at in range(8))))
    dialog, status = desktop.locator("#key"), desktop.locator("#uploads-status")
    dialog.get_by_role("button", name="Not now").click()
    expect(status).to_have_text("8 files wait for a key.")
    expect(dialog).to_be_hidden()
    expect(desktop.locator("#failures")).to_be_hidden()
    calls = api.count("POST /v1/uploads")
    desktop.locator("#resume-uploads").click()
    desktop.get_by_label("Your key").fill("pt_new")
    api.rule = lambda _: None
    desktop.get_by_role("button", name="Continue").click()
    expect(status).to_contain_text("8 of 8 images are in the collection.")
    expect(desktop.locator("#resume-uploads")).to_be_hidden()
    assert calls == 4


def test_a_late_failure_leaves_the_view_that_is_shown_by_then(desktop: Page, api: FailingApi) -> None:
    problem, toast = desktop.locator("#problem"), desktop.locator("#toast")

    def held(name: str) -> Route:
        wait_until(desktop, lambda: api.held[name])
        (late,) = api.held.pop(name)
        return late

    def fail(late: Route) -> None:
        late.fulfill(status=500, json={"detail": "late"})
        desktop.wait_for_timeout(100)
        expect(problem).to_be_hidden()
        expect(desktop.locator("#again")).to_be_hidden()
        expect(toast).to_be_empty()

    api.rule = lambda call: (
        {"images": [record(9, filename="new.png")], "cursor": "c"} if call.query.get("tag") == "new" else None
    )
    desktop.goto(URL)
    expect(desktop.locator("#images li")).to_have_count(6)
    api.held["GET /v1/images"] = []
    show(desktop, "/?tag=old")
    late = held("GET /v1/images")
    show(desktop, "/?tag=new")
    expect(desktop.get_by_label("Open new.png")).to_be_visible()
    fail(late)

    api.held["GET /v1/images"] = []
    desktop.locator("#more").click()
    late = held("GET /v1/images")
    show(desktop, "/")
    expect(desktop.locator("#images li")).to_have_count(6)
    fail(late)

    api.answers["GET /v1/duplicates"] = {"groups": groups(1), "cursor": "c"}
    show(desktop, "/?view=duplicates")
    expect(desktop.locator("#groups > li")).to_have_count(1)
    api.held["GET /v1/duplicates"] = []
    desktop.locator("#more-groups").click()
    late = held("GET /v1/duplicates")
    api.answers[f"GET /v1/duplicates/{image_id(4)}"] = groups(2)[1]
    show(desktop, f"/?view=duplicates&group={image_id(4)}")
    expect(desktop.locator("#groups").get_by_label("Open f4.png")).to_be_visible()
    late.fulfill(json={"groups": groups(3)[2:], "cursor": None})
    desktop.wait_for_timeout(100)
    expect(desktop.locator("#groups > li")).to_have_count(1)

    api.held[f"GET /v1/images/{image_id(77)}"] = []
    show(desktop, f"/?image={image_id(77)}")
    late = held(f"GET /v1/images/{image_id(77)}")
    show(desktop, "/?view=trash")
    expect(desktop.locator("#no-trash")).to_be_visible()
    fail(late)


def test_the_heading_of_an_album_stays_when_an_image_of_it_is_deleted(desktop: Page, api: FailingApi) -> None:
    desktop.goto(f"{URL}/?album=a1")
    expect(desktop.locator("#collection-title")).to_have_text("Summer")
    desktop.locator("#images .open").first.focus()
    desktop.keyboard.press("Space")
    desktop.keyboard.press("Delete")
    asked = api.count("GET /v1/stats")
    desktop.locator("#confirm-yes").click()
    expect(desktop.locator("#images li")).to_have_count(5)
    wait_until(desktop, lambda: api.count("GET /v1/stats") > asked)
    desktop.wait_for_timeout(100)
    expect(desktop.locator("#collection-title")).to_have_text("Summer")
    expect(desktop).to_have_title("Summer – PicTrace")
    desktop.locator("#to-images").click()
    expect(desktop.locator("#collection-title")).to_have_text("The collection")
    expect(desktop).to_have_title("PicTrace")


def test_uploads_do_not_change_the_number_of_images_of_another_collection(desktop: Page, api: FailingApi) -> None:
    desktop.goto(f"{URL}/?collection=a")
    expect(desktop.locator("#count")).to_have_text("6")
    states = api.held["GET /v1/uploads/u"] = []
    desktop.set_input_files("#files", files(*(f"{at}.png" for at in range(3))))
    wait_until(desktop, lambda: len(states) == 3)
    show(desktop, "/?collection=b")
    expect(desktop.locator("#switch-name")).to_have_text("b")
    expect(desktop.locator("#count")).to_have_text("6")
    states[0].fulfill(json={"status": "indexed"})
    expect(desktop.locator("#uploads .indexed")).to_have_count(1)
    desktop.wait_for_timeout(200)
    expect(desktop.locator("#count")).to_have_text("6")


def test_the_progress_of_a_check_goes_on_when_its_view_is_shown_again(desktop: Page, api: FailingApi) -> None:
    check = {"status": "running", "done": 3, "images": 10, "changed": 0}
    api.answers["POST /v1/duplicates/check"] = api.answers["GET /v1/duplicates/check"] = check
    status = desktop.locator("#check-status")
    desktop.goto(f"{URL}/?view=duplicates")
    desktop.locator("#look-again").click()
    expect(status).to_contain_text("3 of 10")
    desktop.locator("#to-images").click()
    expect(desktop.locator("#look-again")).to_be_enabled()  # the check is not followed while it is not shown
    api.answers["GET /v1/duplicates/check"] = check | {"done": 8}
    desktop.locator("#to-duplicates").click()
    expect(status).to_contain_text("8 of 10")
    show(desktop, "/?view=duplicates&collection=b")
    expect(status).to_have_text("")
    desktop.go_back()
    expect(status).to_have_text("")  # it is not known to be running
    desktop.locator("#look-again").click()
    expect(status).to_contain_text("3 of 10")
    api.refused["GET /v1/duplicates/check"] = 404
    expect(status).to_have_text("")
    expect(desktop.locator("#look-again")).to_be_enabled()


class Deletable:
    """Images 1 to 3 that are found, listed and in one group, unless they are in the trash."""

    def __init__(self, api: FailingApi) -> None:
        self.gone: set[int] = set()
        api.rule = self._answer

    def _answer(self, call: Call) -> Answer | int | None:
        images = [record(number) for number in (1, 2, 3) if number not in self.gone]
        number = int(call.path.split("/")[3], 16) if re.match("/v1/(images|trash)/0", call.path) else 0
        if call.path.endswith("/similar"):
            return {"matches": [match(one) for one in images], "model": "m", "candidates": 3, **PLAIN}
        if call.path.endswith("/restore"):
            self.gone.discard(number)
            return record(number)
        if call.method == "DELETE":
            self.gone.add(number)
            return {}
        if call.path == "/v1/images":
            return {"images": images, "cursor": None}
        if call.path == "/v1/trash":
            when = {"trashed_at": "2026-01-01T00:00:00Z", "purged_at": "2026-02-01T00:00:00Z"}
            return {"images": [record(one, **when) for one in self.gone], "cursor": None, "days": 30}
        return None


def match(image: Answer) -> Answer:
    return {
        "image_id": image["image_id"],
        "image": image,
        "score": 0.9,
        "verdict": "similar",
        "same_bytes": False,
        "low_information": False,
        "page": None,
        "at": None,
        "differences": [],
        "overlays": [],
        "inverted": False,
        "ssim": 0.1,
        "ssim_aligned": None,
        "mirrored": False,
        "orb": {"matches": 1, "inliers": 1, "ratio": 0.1},
        "histogram": 0.1,
        "cosine": 0.5,
    }


def delete_in_viewer(page: Page) -> None:
    delete = page.locator("#viewer .actions button.danger")
    delete.click()
    expect(delete).to_have_text("Really delete?")
    page.wait_for_timeout(700)  # longer than a double click
    delete.click()
    expect(page.locator("#viewer")).to_be_hidden()


def test_the_results_of_a_search_and_the_trash_follow_undo(desktop: Page, api: FailingApi) -> None:
    Deletable(api)
    cards, undo = desktop.locator("#matches .card"), desktop.locator("#toast button")
    desktop.goto(f"{URL}/?similar={image_id(9)}")
    expect(cards).to_have_count(3)
    cards.first.locator(".open").click()
    delete_in_viewer(desktop)
    expect(cards).to_have_count(2)
    undo.click()
    expect(cards).to_have_count(3)
    desktop.go_back()

    desktop.goto(URL)
    desktop.locator("#images .open").first.focus()
    desktop.keyboard.press("Control+a")
    desktop.keyboard.press("Delete")
    desktop.locator("#confirm-yes").click()
    expect(undo).to_be_visible()
    desktop.locator("#to-trash").click()
    expect(desktop.locator("#trashed li")).to_have_count(3)
    undo.click()
    expect(desktop.locator("#no-trash")).to_be_visible()
    expect(desktop.locator("#trashed li")).to_have_count(0)


def test_a_group_that_ends_with_a_deletion_leads_to_the_others(desktop: Page, api: FailingApi) -> None:
    first, second = groups(2)
    api.answers |= {
        "GET /v1/duplicates": {"groups": [second], "cursor": None},
        f"GET /v1/duplicates/{image_id(2)}": first,
    }
    desktop.goto(f"{URL}/?view=duplicates&group={image_id(2)}")
    desktop.locator("#groups .open").nth(1).click()
    api.refused[f"GET /v1/duplicates/{image_id(2)}"] = 404
    delete_in_viewer(desktop)
    expect(desktop).to_have_url(f"{URL}/?view=duplicates")
    expect(desktop.locator("#groups > li")).to_have_count(1)
    expect(desktop.locator("#no-group")).to_be_hidden()
    show(desktop, f"/?view=duplicates&group={image_id(2)}")
    expect(desktop.locator("#no-group")).to_have_text("This group does not exist any more.")
    expect(desktop.locator("#no-groups")).to_be_hidden()
    desktop.get_by_role("link", name="Show all groups").click()
    expect(desktop.locator("#groups > li")).to_have_count(1)
    expect(desktop.locator("#no-group")).to_be_hidden()


def test_a_changed_tag_is_shown_when_a_result_or_a_copy_is_opened_again(desktop: Page, api: FailingApi) -> None:
    Deletable(api)
    tagged = record(2, tags=["dog"])
    api.answers |= {
        f"PATCH /v1/images/{image_id(2)}": tagged,
        f"GET /v1/duplicates/{image_id(2)}": groups(1)[0],
    }
    for address, place in (
        (f"/?similar={image_id(9)}", "#matches .card .open >> nth=1"),
        (f"/?view=duplicates&group={image_id(2)}", "#groups .open >> nth=0"),
    ):
        desktop.goto(f"{URL}{address}")
        desktop.locator(place).click()
        desktop.locator("#viewer .add-tag input").fill("dog")
        desktop.keyboard.press("Enter")
        expect(desktop.locator("#viewer .tags .chip")).to_have_count(1)
        desktop.locator("#viewer-close").click()
        expect(desktop.locator("#viewer")).to_be_hidden()
        desktop.locator(place).click()
        expect(desktop.locator("#viewer .tags .chip")).to_have_count(1)


def test_what_cannot_be_read_is_reported_when_it_is_pasted_or_dropped(desktop: Page, api: FailingApi) -> None:
    problem = desktop.locator("#problem")
    desktop.goto(URL)
    expect(desktop.locator("#count")).to_be_visible()
    desktop.evaluate(
        """() => {
            const moved = new DataTransfer();
            moved.items.add(new File([new Uint8Array(5e6)], "big.tif", { type: "image/tiff" }));
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: moved, bubbles: true }));
        }"""
    )
    expect(problem).to_contain_text("The file is too large to search with")
    desktop.evaluate(
        """() => {
            const drop = new Event("drop", { cancelable: true });
            drop.dataTransfer = { files: [1], get items() { throw new Error("not readable"); } };
            dispatchEvent(drop);
        }"""
    )
    expect(problem).to_have_text("not readable")
    expect(desktop.locator("#again")).to_be_hidden()


def test_the_removal_of_a_collection_ends_with_a_deletion_that_fails(desktop: Page, api: FailingApi) -> None:
    gone: list[str] = []

    def rule(call: Call) -> Answer | int | None:
        if call.path == "/v1/images":
            numbers = (number for number in range(1, 61) if image_id(number) not in gone)
            return {"images": [record(number) for number in numbers], "cursor": None}
        if call.method != "DELETE":
            return None
        if call.path.endswith(image_id(3)):
            return 500
        gone.append(call.path.split("/")[-1])
        return {}

    api.rule = rule
    desktop.goto(URL)
    expect(desktop.locator("#images li")).to_have_count(60)
    desktop.locator("#switch").click()
    desktop.get_by_role("button", name="Remove default").click()
    desktop.locator("#confirm-yes").click()
    expect(desktop.locator("#toast")).to_have_text("refused with 500")
    expect(desktop.locator("#images li")).to_have_count(60 - len(gone))
    assert len(gone) < 20
    assert api.count("DELETE /v1/collections/default") == 0
    expect(desktop.locator("#toast")).to_have_text("refused with 500")


def test_the_trash_is_shown_of_a_collection_that_it_keeps(desktop: Page, api: FailingApi) -> None:
    api.answers["GET /v1/collections"] = {"collections": [api.collection("b", images=0)], "cursor": None}
    api.answers["GET /v1/images"] = {"images": [], "cursor": None}
    api.refused["DELETE /v1/collections/b"] = 409
    desktop.goto(URL)
    expect(desktop.locator("#nothing")).to_be_visible()
    desktop.locator("#switch").click()
    desktop.get_by_role("button", name="Remove b").click()
    desktop.locator("#confirm-yes").click()
    expect(desktop).to_have_url(f"{URL}/?collection=b&view=trash")
    expect(desktop.locator("#toast")).to_have_text("refused with 409")


def test_images_of_other_conditions_are_not_shown_when_a_listing_fails(desktop: Page, api: FailingApi) -> None:
    desktop.goto(URL)
    expect(desktop.locator("#images li")).to_have_count(6)
    api.rule = lambda call: 500 if call.path == "/v1/images" else None
    show(desktop, "/?tag=dog")
    expect(desktop.locator("#problem")).to_have_text("refused with 500")
    expect(desktop.locator("#images li")).to_have_count(0)
    api.rule = lambda _: None
    desktop.locator("#again").click()
    expect(desktop.locator("#images li")).to_have_count(6)
    assert [call.query.get("tag") for call in api.calls if call.path == "/v1/images"] == [None, "dog", "dog"]
