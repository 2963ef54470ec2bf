"""What the routes work with, made once a process."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from functions.api.library import Library
from functions.api.search import Searcher
from shared.aws.catalogue import DynamoCatalogue
from shared.aws.clients import dynamodb_client, lambda_client, s3_client
from shared.aws.duplicates import DynamoDuplicates
from shared.aws.fetcher import LambdaFetcher
from shared.aws.keys import DynamoKeys
from shared.aws.ledger import DynamoLedger
from shared.aws.objects import S3Objects
from shared.aws.uploads import DynamoUploads
from shared.settings import ApiSettings
from shared.vision.decoding import ISOLATION

if TYPE_CHECKING:
    from shared.vision.embedding import Embedder


@dataclass(frozen=True, slots=True)
class Model:
    """The deployed model, as its export describes it."""

    id: str
    has_labels: bool

    @property
    def untrained(self) -> bool:
        return not self.has_labels

    @property
    def notice(self) -> str | None:
        if not self.untrained:
            return None
        return (
            f"The model {self.id} is an untrained ResNet50: its weights are random, so cosine and the candidates "
            "are weaker than with ImageNet weights, and there are no labels."
        )


class Services:
    """Adapters and use cases of the api function; the model is loaded when first needed."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        described = json.loads((settings.model_dir / "model.json").read_text(encoding="utf-8"))
        self.model = Model(described["id"], described["has_labels"])
        self.access = settings.access
        dynamodb = dynamodb_client()
        self.catalogue = DynamoCatalogue(dynamodb, settings.table)
        self.duplicates = DynamoDuplicates(dynamodb, settings.table)
        self.keys = DynamoKeys(dynamodb, settings.table)
        self.objects = S3Objects(s3_client(), settings.bucket)
        self.fetcher = LambdaFetcher(lambda_client(), settings.fetch_function)
        self.library = Library(
            catalogue=self.catalogue,
            ledger=DynamoLedger(dynamodb, settings.table),
            uploads=DynamoUploads(dynamodb, settings.table),
            objects=self.objects,
            fetcher=self.fetcher,
            bucket=settings.bucket,
            model=self.model.id,
        )

    @cached_property
    def embedder(self) -> "Embedder":
        from shared.vision.embedding import Embedder

        return Embedder(self._settings.model_dir)

    @cached_property
    def searcher(self) -> Searcher:
        ISOLATION.warm()
        return Searcher(
            catalogue=self.catalogue, objects=self.objects, embedder=lambda: self.embedder, model=self.model.id
        )
