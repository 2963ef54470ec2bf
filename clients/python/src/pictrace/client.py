"""The synchronous and the asynchronous client."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, Self, TypeVar

import httpx

from pictrace import answers, operations, procedures
from pictrace.operation import Pages
from pictrace.request import Flow, Outcome, Pause, Request
from pictrace.retries import PATIENCE_SECONDS, Retries

LOCAL_URL: Final = "http://localhost:8000"
"""Where `make run` serves."""
TIMEOUT_SECONDS: Final = 60.0
URL_VARIABLE: Final = "PICTRACE_URL"
KEY_VARIABLE: Final = "PICTRACE_API_KEY"

Result = TypeVar("Result")
Page = Callable[[str | None, Any, Any], Flow[Any]]
"""Returns the flow that reads the page of a cursor, from the arguments of the call."""


class Operations:
    """The methods of both clients."""

    upload = procedures.upload
    wait = procedures.wait
    add = procedures.add
    download = procedures.download
    read_link = procedures.read_link

    images = Pages(operations.list_images, "images", answers.Image)
    hash_matches = Pages(operations.search_hashes, "matches", answers.HashMatch)
    albums = Pages(operations.list_albums, "albums", answers.AlbumState)
    shared_images = Pages(operations.list_shared_images, "images", answers.SharedImage)
    collections = Pages(operations.list_collections, "collections", answers.CollectionState)
    duplicates = Pages(operations.list_duplicates, "groups", answers.DuplicateGroup)
    decisions = Pages(operations.list_decisions, "decisions", answers.DecidedPair)
    resolutions = Pages(operations.resolve_duplicates, "groups", answers.ResolvedGroup)
    trash = Pages(operations.list_trash, "images", answers.TrashedImage)
    trashed_albums = Pages(operations.list_trashed_albums, "albums", answers.TrashedAlbum)
    people = Pages(operations.list_people, "people", answers.Person)

    open_upload = operations.open_upload
    upload_state = operations.upload_state
    fetch_image = operations.fetch_image
    list_images = operations.list_images
    get_image = operations.get_image
    change_image = operations.change_image
    add_tag = operations.add_tag
    remove_tag = operations.remove_tag
    tags = operations.tags
    list_albums = operations.list_albums
    create_album = operations.create_album
    put_album = operations.put_album
    get_album = operations.get_album
    change_album = operations.change_album
    delete_album = operations.delete_album
    change_album_images = operations.change_album_images
    list_shares = operations.list_shares
    create_share = operations.create_share
    revoke_share = operations.revoke_share
    shared_album = operations.shared_album
    list_shared_images = operations.list_shared_images
    shared_image_link = operations.shared_image_link
    shared_thumbnail_link = operations.shared_thumbnail_link
    delete_image = operations.delete_image
    image_link = operations.image_link
    thumbnail_link = operations.thumbnail_link
    similar = operations.similar
    search = operations.search
    search_hashes = operations.search_hashes
    compare = operations.compare
    draw_comparison = operations.draw_comparison
    list_collections = operations.list_collections
    collection = operations.collection
    put_collection = operations.put_collection
    change_collection = operations.change_collection
    remove_collection = operations.remove_collection
    list_duplicates = operations.list_duplicates
    duplicate_check = operations.duplicate_check
    start_duplicate_check = operations.start_duplicate_check
    decide_duplicates = operations.decide_duplicates
    list_decisions = operations.list_decisions
    resolve_duplicates = operations.resolve_duplicates
    duplicate_group = operations.duplicate_group
    keep_image = operations.keep_image
    list_trash = operations.list_trash
    restore_image = operations.restore_image
    list_trashed_albums = operations.list_trashed_albums
    restore_album = operations.restore_album
    purge_image = operations.purge_image
    empty_trash = operations.empty_trash
    list_people = operations.list_people
    hide_people = operations.hide_people
    same_people = operations.same_people
    who = operations.who
    get_person = operations.get_person
    change_person = operations.change_person
    person_faces = operations.person_faces
    person_suggestions = operations.person_suggestions
    people_records = operations.people_records
    restore_people = operations.restore_people
    merge_people = operations.merge_people
    unmerge_person = operations.unmerge_person
    tell_apart = operations.tell_apart
    list_faces = operations.list_faces
    confirm_face = operations.confirm_face
    reject_face = operations.reject_face
    erase_faces = operations.erase_faces
    stats = operations.stats
    health = operations.health
    legacy_upload = operations.legacy_upload
    legacy_upload_from_url = operations.legacy_upload_from_url
    legacy_image_url = operations.legacy_image_url

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            url: address of the API; by default `PICTRACE_URL`, or that of a local run.
            key: an API key or a token; by default `PICTRACE_API_KEY`, or none.
            timeout: seconds to wait for the server's next bytes.
            patience: seconds for which a call is repeated while the server is busy or cannot be reached (3 if it
                has never answered).
        """
        self.url = url or os.environ.get(URL_VARIABLE) or LOCAL_URL
        key = key or os.environ.get(KEY_VARIABLE)
        self._retries = Retries(self.url, patience)
        self._connect({"Authorization": f"Bearer {key}"} if key else {}, timeout)

    def _connect(self, headers: dict[str, str], timeout: float) -> None:
        """Create the clients of HTTP: one for the API, with the key, and one for the storage, without it."""
        raise NotImplementedError


class Client(Operations):
    """A client whose calls return their answers. Threads may share it."""

    def _connect(self, headers: dict[str, str], timeout: float) -> None:
        self._api = httpx.Client(base_url=self.url, headers=headers, timeout=timeout)
        self._storage = httpx.Client(timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._api.close()
        self._storage.close()

    def run(self, flow: Flow[Result]) -> Result:
        """Carry out a flow."""
        steps = self._retries.steps(flow)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: Result = end.value
                return result
            outcome = self._perform(step)

    def _perform(self, step: Request | Pause) -> Outcome:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return (self._storage if step.in_storage else self._api).request(**step.arguments())
        except httpx.TransportError as error:
            return error

    def iterate(self, page: Page, field: str, args: Any, kwargs: Any) -> Iterator[Any]:
        """Yield the entries of all pages."""
        cursor: str | None = None
        while True:
            found = self.run(page(cursor, args, kwargs))
            yield from found[field]
            cursor = found["cursor"]
            if cursor is None:
                return


class AsyncClient(Operations):
    """A client whose calls are awaited; the listings are asynchronous iterators."""

    def _connect(self, headers: dict[str, str], timeout: float) -> None:
        self._api = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=timeout)
        self._storage = httpx.AsyncClient(timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._api.aclose()
        await self._storage.aclose()

    async def run(self, flow: Flow[Result]) -> Result:
        """Carry out a flow."""
        steps = self._retries.steps(flow)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: Result = end.value
                return result
            outcome = await self._perform(step)

    async def _perform(self, step: Request | Pause) -> Outcome:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await (self._storage if step.in_storage else self._api).request(**step.arguments())
        except httpx.TransportError as error:
            return error

    async def iterate(self, page: Page, field: str, args: Any, kwargs: Any) -> AsyncIterator[Any]:
        """Yield the entries of all pages."""
        cursor: str | None = None
        while True:
            found = await self.run(page(cursor, args, kwargs))
            for entry in found[field]:
                yield entry
            cursor = found["cursor"]
            if cursor is None:
                return
