"""The adapters and use cases of the api function."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from functions.api.duplicate_groups import DuplicateGroups
from functions.api.library import Library
from functions.api.trash_bin import TrashBin
from shared.aws.clients import dynamodb_client, lambda_client, s3_client, sqs_client
from shared.aws.dynamodb.active_model import DynamoActiveModel
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.duplicate_scans import DynamoScans
from shared.aws.dynamodb.duplicates import DynamoDuplicates
from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.trash import DynamoTrash
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.aws.fetch_client import LambdaFetcher
from shared.aws.ingest_messages import IngestMessages
from shared.aws.objects import S3Objects
from shared.domain.labels import UnknownLabel, Vocabulary
from shared.domain.model_card import LABELS_FILE, ModelCard
from shared.domain.removal import Remover
from shared.search.duplicate_scans import DuplicateScans
from shared.search.searcher import Searcher
from shared.settings import ApiSettings
from shared.vision.decode.decoding import SANDBOX

if TYPE_CHECKING:
    from shared.vision.embedding import Embedder


@dataclass(frozen=True)
class Model:
    """A deployed model: its card and the folder of its export."""

    card: ModelCard
    folder: Path

    @property
    def id(self) -> str:
        return self.card.id

    def embedder(self) -> "Embedder":
        """Load the model."""
        from shared.vision.embedding import Embedder

        return Embedder(self.folder)

    def classes(self, words: str) -> frozenset[str]:
        """Return the classes that match `words`; see `Vocabulary.matching`.

        Raises:
            UnknownLabel: no class matches, or the model has no labels.
        """
        if not self.card.has_labels:
            raise UnknownLabel(f"The model {self.id} has no labels. Search without `label`.")
        return self._vocabulary.matching(words)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.read(self.folder / LABELS_FILE)


class Services:
    """The adapters and use cases of one process. A model is loaded when it is first needed.

    `model` and `searcher` belong to the active model, which may change between two accesses; `with_model` returns
    services that use the same model throughout.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.models: dict[str, Model] = {}
        for folder in settings.model_dirs:
            card = ModelCard.read(folder)
            self.models[card.id] = Model(card, folder)
        self.access = settings.access
        dynamodb = dynamodb_client()
        self.catalogue = DynamoCatalogue(dynamodb, settings.table)
        self.collections = DynamoCollections(dynamodb, settings.table)
        self.duplicates = DynamoDuplicates(dynamodb, settings.table)
        self.keys = DynamoApiKeys(dynamodb, settings.table)
        self.objects = S3Objects(s3_client(), settings.bucket)
        self.source_addresses = [
            address for name in settings.source_buckets for address in self.objects.addresses(name)
        ]
        self.fetcher = LambdaFetcher(lambda_client(), settings.fetch_function)
        self.messages = IngestMessages(sqs_client(), settings.queue)
        self.trash = TrashBin(
            catalogue=self.catalogue,
            duplicates=self.duplicates,
            trash=DynamoTrash(dynamodb, settings.table),
            remover=Remover(
                catalogue=self.catalogue,
                ledger=DynamoLedger(dynamodb, settings.table),
                objects=self.objects,
                bucket=settings.bucket,
                models=list(self.models),
            ),
            messages=self.messages,
            models=list(self.models),
            days=settings.trash_days,
        )
        self.groups = DuplicateGroups(duplicates=self.duplicates, trash=self.trash, messages=self.messages)
        self.scans = DuplicateScans(DynamoScans(dynamodb, settings.table), self.messages)
        self.library = Library(
            catalogue=self.catalogue,
            uploads=DynamoUploads(dynamodb, settings.table),
            objects=self.objects,
            fetcher=self.fetcher,
            bucket=settings.bucket,
        )
        self._active: Callable[[], str] = DynamoActiveModel(dynamodb, settings.table, list(self.models))
        self._searchers: dict[str, Searcher] = {}

    def with_model(self, model: str | None) -> "Services":
        """Return the same services, fixed to the model named or else the currently active one.

        Raises:
            KeyError: the model is not deployed.
        """
        model_id = self.models[model or self._active()].id
        view = copy(self)
        view._active = lambda: model_id
        return view

    @property
    def model(self) -> Model:
        return self.models[self._active()]

    @property
    def searcher(self) -> Searcher:
        SANDBOX.start()
        model = self.model
        if model.id not in self._searchers:
            self._searchers[model.id] = Searcher(
                index=self.catalogue, signatures=self.objects, embedder=cache(model.embedder), model=model.id
            )
        return self._searchers[model.id]
