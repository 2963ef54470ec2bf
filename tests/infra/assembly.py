"""Read a cloud assembly: its template, and the assets of the template's functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Assembly:
    """The output of `cdk synth`.

    Attributes:
        images: the manifest's container images, by asset hash.
        files: the manifest's files, by asset hash.
    """

    folder: Path
    template: Mapping[str, Any]
    images: Mapping[str, Any]
    files: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Self:
        (manifest,) = folder.glob("*.assets.json")
        (template,) = folder.glob("*.template.json")
        assets = json.loads(manifest.read_text(encoding="utf-8"))
        return cls(folder, json.loads(template.read_text(encoding="utf-8")), assets["dockerImages"], assets["files"])

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of every resource of a type, by logical id."""
        return {
            name: resource["Properties"]
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def image_of(self, function: Mapping[str, Any]) -> Any | None:
        """The image of a function with these properties, or None if its code is a zip.

        Raises:
            KeyError: the manifest does not contain the image.
        """
        uri = function["Code"].get("ImageUri")
        return None if uri is None else self.images[uri["Fn::Sub"].rpartition(":")[2]]

    def file_of(self, code: Mapping[str, Any]) -> Any:
        """The file to which a function's `Code` or a layer's `Content` refers."""
        return self.files[code["S3Key"].removesuffix(".zip")]
