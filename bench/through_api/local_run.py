"""The local run over an empty data folder, called over HTTP as users call it."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.embedded_scale.folders import opened, signature_file
from bench.embedded_scale.servers import server
from infra.local import seed
from infra.local.data_folder import DataFolder
from shared.domain.images import ObjectRef
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.search.description import Description
from shared.vision import signature

Query = bytes | str
"""An image: the bytes of a file, or the id of a stored one."""


PATIENCE_SECONDS: Final = 900
"""How long an answer may take on a machine that is busy with other work."""


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
        """Return the image ids of each group of near-duplicates."""
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
def local_run(model_dir: Path, stored: Iterable[Description] = ()) -> Iterator[LocalRun]:
    """Start the local run with a folder that is removed at the end of the context.

    Args:
        stored: images that it has already; they are not compared with each other, as images that arrive are.
    """
    with tempfile.TemporaryDirectory() as path:
        folder = DataFolder(Path(path), is_new=True)
        with opened(folder) as (database, index), database.transaction():
            catalogue = EmbeddedCatalogue(database, index)
            for one in stored:
                catalogue.add(one.indexed(), ObjectRef("local", f"bench/{one.record.image_id}"))
                file = signature_file(folder, one.record)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(signature.pack(one.signature))
        with server(folder, model_dir) as running:
            running.client.timeout = httpx.Timeout(PATIENCE_SECONDS)
            yield LocalRun(running.client)
