"""A collection of a running system that moves, and what is compared of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.operate.__main__ import main

MOVED = (
    *("image_id", "filename", "format", "bytes", "width", "height", "external_id", "note", "fields"),
    *("taken_at", "camera", "location", "tags", "decided_tags", "favourite"),
)


@dataclass(frozen=True)
class System:
    """A running system, and a collection of it."""

    url: str
    collection: str

    def get(self, path: str, **parameters: Any) -> Any:
        parameters = {"collection": self.collection, **parameters}
        return httpx.get(f"{self.url}{path}", params=parameters, timeout=60).raise_for_status().json()

    def send(self, method: str, path: str, **body: Any) -> None:
        where = {"collection": self.collection}
        httpx.request(method, f"{self.url}{path}", params=where, json=body, timeout=60).raise_for_status()

    def images(self) -> list[dict[str, Any]]:
        """What moves with each image, oldest first."""
        return [{name: image[name] for name in MOVED} for image in self.get("/v1/images", order="oldest")["images"]]

    def groups(self) -> list[tuple[str, bool, set[str]]]:
        return [
            (group["best"], group["chosen"], {image["image_id"] for image in group["images"]})
            for group in self.get("/v1/duplicates")["groups"]
        ]

    def run(self, command: str, folder: Path, *options: object) -> int:
        return main([command, str(folder), "--url", self.url, "--collection", self.collection, *map(str, options)])


END = {"type": "end"} | dict.fromkeys(("images", "groups", "decisions", "albums", "persons", "faces"), 0)
"""The last line of the manifest of a collection that has nothing."""


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
