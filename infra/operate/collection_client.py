"""The calls of the API that moving a collection needs, besides those of uploading."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from infra.operate.upload_client import ServerFailed, StorageRefused, UploadClient, checked
from shared.domain.limits import MAX_PAGE

REFUSED_CHANGES = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


class ChangeRefused(Exception):  # noqa: N818
    """The API does not make this change, whatever it does for other images; the message says why."""


class CollectionClient(UploadClient):
    """A client for one collection, which several threads may share."""

    def image(self, image_id: str) -> dict[str, Any]:
        return self._json("GET", f"/v1/images/{image_id}", params=self._where)

    def download(self, image_id: str, path: Path) -> None:
        """Write the bytes of an image to a file as they come.

        Raises:
            StorageRefused: there are none, or they are not the image's.
        """
        answer = self._call(
            "GET", f"/v1/images/{image_id}/content", params=self._where, headers={"Accept": "application/json"}
        )
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise StorageRefused("The collection does not have this image any more.")
        link = checked(answer)["url"]
        digest = hashlib.sha256()

        def receive() -> httpx.Response:
            nonlocal digest
            digest = hashlib.sha256()
            with self._storage.stream("GET", link) as received, path.open("wb") as file:
                for chunk in received.iter_bytes():
                    if received.is_error:
                        break
                    digest.update(chunk)
                    file.write(chunk)
            return received

        received = self._repeat(receive)
        if received.is_error:
            raise StorageRefused(f"The storage answered {received.status_code}.")
        if digest.hexdigest() != image_id:
            raise StorageRefused("The storage has other bytes than those that were indexed.")

    def annotate(self, image_id: str, change: Mapping[str, Any]) -> None:
        """Change annotations as `PATCH /v1/images/{image_id}` does.

        Raises:
            ChangeRefused: the image is gone, or the annotations are not valid.
        """
        self._change("PATCH", f"/v1/images/{image_id}", change)

    def set_title(self, title: str) -> None:
        self._json("PUT", f"/v1/collections/{self.collection}", json={"title": title})

    def has_faces_on(self) -> bool:
        answer = self._call("GET", f"/v1/collections/{self.collection}")
        return answer.status_code != HTTPStatus.NOT_FOUND and bool(checked(answer)["faces"])

    def turn_faces_on(self) -> None:
        """Turn faces on, unless they are.

        Raises:
            ChangeRefused: the key may not, or the server has no networks for faces.
        """
        if self.has_faces_on():
            return
        answer = self._call("PATCH", f"/v1/collections/{self.collection}", json={"faces": True})
        if answer.status_code == HTTPStatus.FORBIDDEN:
            raise ChangeRefused("faces are off, and only a key with the scope admin turns them on.")
        if answer.status_code == HTTPStatus.CONFLICT:
            raise ChangeRefused("the server has no networks for faces.")
        checked(answer)

    def people_records(self) -> Iterator[dict[str, Any]]:
        """Yield pages of what is known of people: `persons`, or `faces` after the last person."""
        cursor: dict[str, str] = {}
        while True:
            page = self._json("GET", "/v1/people/records", params={**self._where, "limit": MAX_PAGE, **cursor})
            yield page
            if page["cursor"] is None:
                return
            cursor = {"cursor": page["cursor"]}

    def restore_people(self, records: Mapping[str, Any]) -> None:
        """Restore persons, or faces, as `people_records` returned them."""
        checked(self._call("POST", "/v1/people/records", params=self._where, json=records))

    def albums(self) -> Iterator[dict[str, Any]]:
        return self._pages("/v1/albums", "albums", limit=MAX_PAGE)

    def put_album(self, album_id: str, title: str, description: str | None) -> dict[str, Any]:
        """Create an album under an id, unless it is there; return it.

        Raises:
            ChangeRefused: the API does not accept it.
        """
        wanted = {"title": title, "description": description}
        found: dict[str, Any] = self._change("PUT", f"/v1/albums/{album_id}", wanted)
        return found

    def change_album(self, album_id: str, change: Mapping[str, Any]) -> None:
        """Raises ChangeRefused if the API does not accept it."""
        self._change("PATCH", f"/v1/albums/{album_id}", change)

    def add_to_album(self, album_id: str, images: Sequence[str]) -> None:
        """Add images that the collection has.

        Raises:
            ChangeRefused: the album is full.
        """
        self._change("PATCH", f"/v1/albums/{album_id}/images", {"add": list(images)})

    def groups(self) -> Iterator[dict[str, Any]]:
        """Yield the groups of near-duplicates."""
        return self._pages("/v1/duplicates", "groups")

    def group(self, image_id: str) -> dict[str, Any] | None:
        """Return the group that has an image."""
        answer = self._call("GET", f"/v1/duplicates/{image_id}", params=self._where)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        found: dict[str, Any] = checked(answer)
        return found

    def decisions(self) -> Iterator[dict[str, Any]]:
        """Yield what was decided on pairs of images."""
        return self._pages("/v1/duplicates/decisions", "decisions")

    def decide(self, images: Sequence[str], decision: str) -> None:
        """Store a decision on two images, which the collection need not have yet.

        Raises:
            ChangeRefused: the API does not accept it.
        """
        wanted = {"images": list(images), "decision": decision, "collection": self.collection, "absent": True}
        self._change("POST", "/v1/duplicates/decisions", wanted, where={})

    def keep(self, group_id: str, image_id: str) -> None:
        """Choose which image of a group is kept.

        Raises:
            ChangeRefused: the group does not have it.
        """
        self._change("PUT", f"/v1/duplicates/{group_id}/kept", {"image_id": image_id})

    def start_check(self) -> dict[str, Any]:
        """Have every image compared with its nearest ones again; return the progress."""
        return self._json("POST", "/v1/duplicates/check", params=self._where)

    def check_state(self) -> dict[str, Any]:
        """Return the progress of the last such check."""
        return self._json("GET", "/v1/duplicates/check", params=self._where)

    def _change(
        self, method: str, path: str, body: Mapping[str, Any], *, where: Mapping[str, str] | None = None
    ) -> Any:
        answer = self._call(method, path, params=self._where if where is None else where, json=body)
        try:
            return checked(answer)
        except ServerFailed as failed:
            if answer.status_code in REFUSED_CHANGES:
                raise ChangeRefused(str(failed)) from failed
            raise
