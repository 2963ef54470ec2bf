"""The local run over an empty data folder, called over HTTP as users call it."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.embedded_scale.servers import server
from infra.local import seed
from infra.local.data_folder import DataFolder

Query = bytes | str
"""An image: the bytes of a file, or the id of a stored one."""
COMPARED_AGAIN_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class LocalRun:
    """A running system."""

    client: httpx.Client

    def add(self, paths: Sequence[Path], collection: str) -> Mapping[Path, str]:
        """Store files; return the image ids by file.

        Raises:
            RuntimeError: a file was refused.
        """
        results = seed.index(str(self.client.base_url), paths, collection)
        refused = [result for result in results if result.image_id is None]
        if refused:
            raise RuntimeError(f"{refused[0].path} was refused: {refused[0].reason}")
        return {result.path: str(result.image_id) for result in results}

    def compare(self, a: Query, b: Query) -> dict[str, Any]:
        sides = {"a": a, "b": b}
        files = {name: (name, side) for name, side in sides.items() if isinstance(side, bytes)}
        ids = {name: side for name, side in sides.items() if isinstance(side, str)}
        if files:
            return self._answer("POST", "/v1/compare", files=files, data=ids)
        return self._answer("POST", "/v1/compare", json=ids)

    def search(self, query: Query, **parameters: Any) -> list[dict[str, Any]]:
        """Search by a file, or by a stored image as `similar` does; return the matches, best first."""
        if isinstance(query, bytes):
            asked: dict[str, Any] = {"params": parameters, "files": {"file": ("query", query)}}
            return list(self._answer("POST", "/v1/search", **asked)["matches"])
        return list(self._answer("GET", f"/v1/images/{query}/similar", params=parameters)["matches"])

    def groups(self, collection: str) -> list[list[str]]:
        """Compare every image of a collection again; return the image ids of each group of near-duplicates."""
        self._answer("POST", "/v1/duplicates/check", params={"collection": collection})
        deadline = time.monotonic() + COMPARED_AGAIN_SECONDS
        while self._answer("GET", "/v1/duplicates/check", params={"collection": collection})["status"] != "done":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{collection} was not compared again within {COMPARED_AGAIN_SECONDS} s")
            time.sleep(1)
        found: list[list[str]] = []
        parameters = {"collection": collection}
        while True:
            page = self._answer("GET", "/v1/duplicates", params=parameters)
            found += [[image["image_id"] for image in group["images"]] for group in page["groups"]]
            if page["cursor"] is None:
                return found
            parameters["cursor"] = page["cursor"]

    def _answer(self, method: str, path: str, **asked: Any) -> dict[str, Any]:
        answer = self.client.request(method, path, **asked)
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def local_run(model_dir: Path) -> Iterator[LocalRun]:
    """Start the local run with an empty folder, which is removed at the end of the context."""
    with tempfile.TemporaryDirectory() as folder, server(DataFolder(Path(folder), is_new=True), model_dir) as running:
        yield LocalRun(running.client)
