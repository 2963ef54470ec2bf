"""The adapters and use cases of the api function."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from functions.api.album_bin import AlbumBin
from functions.api.album_shares import AlbumShares
from functions.api.library import Library
from functions.api.outages import Outages
from functions.api.people_finder import FaceFinder, PeopleFinder
from functions.api.trash_bin import TrashBin
from shared.domain.access import Access
from shared.domain.labels import UnknownLabel, Vocabulary
from shared.domain.model_card import LABELS_FILE, ModelCard
from shared.domain.people.decisions import PeopleDecisions
from shared.domain.people.keeping import FaceKeeper
from shared.domain.people.merging import Merger
from shared.domain.people.moving import PeopleMover
from shared.domain.people.ports import PeopleStore, Tasks
from shared.domain.ports.albums import Albums, AlbumTrash, Shares
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Collections, Trash
from shared.domain.ports.duplicates import Duplicates, Scans
from shared.domain.ports.objects import WebObjects
from shared.domain.ports.services import ApiKeys, Messages, WebFetcher
from shared.domain.ports.uploads import Ledger, Uploads
from shared.domain.removal import Remover
from shared.search.budget import SIGNATURES_KEPT
from shared.search.duplicate_scans import DuplicateScans

if TYPE_CHECKING:
    from functions.api.duplicate_groups import DuplicateGroups
    from shared.search.searcher import Searcher
    from shared.vision.embedding import Embedder


@dataclass(frozen=True)
class Model:
    """A deployed model: its card and the folder of its export."""

    card: ModelCard
    folder: Path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the model whose export is in `folder`.

        Raises:
            FileNotFoundError: there is none.
        """
        return cls(ModelCard.read(folder), folder)

    @property
    def id(self) -> str:
        return self.card.id

    def embedder(self) -> "Embedder":
        """Return the model, loaded at the first call."""
        return self._embedder

    def classes(self, words: str) -> frozenset[str]:
        """Return the classes that match `words`; see `Vocabulary.matching`.

        Raises:
            UnknownLabel: no class matches, or the model has no labels.
        """
        if not self.card.has_labels:
            raise UnknownLabel(f"The model {self.id} has no labels. Search without `label`.")
        return self._vocabulary.matching(words)

    @cached_property
    def _embedder(self) -> "Embedder":
        from shared.vision.embedding import Embedder

        return Embedder(self.folder)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.read(self.folder / LABELS_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The adapters through which the API reaches storage and other services.

    Attributes:
        active_model: returns the id of the model that searches use unless they name one.
        trash_days: how long a deleted image or album can be restored.
        show_location: whether callers without the scope `admin` may know where images were taken.
        bucket: the bucket of uploads.
        face_finder: finds the faces of a query image; None for a deployment without the networks.
        signatures_kept: maximum number of signatures that are cached for each model.
        source_addresses: where links to other buckets lead, as sources of a Content-Security-Policy.
    """

    catalogue: Catalogue
    collections: Collections
    duplicates: Duplicates
    scans: Scans
    trash: Trash
    albums: Albums
    album_trash: AlbumTrash
    shares: Shares
    messages: Messages
    keys: ApiKeys
    ledger: Ledger
    people: PeopleStore
    tasks: Tasks
    uploads: Uploads
    objects: WebObjects
    fetcher: WebFetcher
    active_model: Callable[[], str]
    outages: Outages
    trash_days: int
    show_location: bool
    bucket: str
    signatures_kept: int = SIGNATURES_KEPT
    source_addresses: Sequence[str] = ()
    face_finder: FaceFinder | None = None


class Services:
    """The adapters and use cases of one process. A model is loaded when it is first needed.

    `model` and `searcher` belong to the active model, which may change between two accesses; `with_model` returns
    services that use the same model throughout.
    """

    def __init__(self, adapters: Adapters, models: Sequence[Model], access: Access) -> None:
        self.models = {model.id: model for model in models}
        self.access = access
        self.show_location = adapters.show_location
        self.catalogue = adapters.catalogue
        self.collections = adapters.collections
        self.duplicates = adapters.duplicates
        self.albums = adapters.albums
        self.keys = adapters.keys
        self.objects = adapters.objects
        self.fetcher = adapters.fetcher
        self.outages = adapters.outages
        self.source_addresses = adapters.source_addresses
        self.messages = adapters.messages
        self.face_finder = adapters.face_finder
        self.people = PeopleFinder(adapters.people, adapters.catalogue, adapters.albums)
        self.people_decisions = PeopleDecisions(adapters.people, adapters.tasks)
        self.people_merger = Merger(adapters.people, adapters.tasks)
        self.people_mover = PeopleMover(adapters.people, adapters.tasks)
        self.face_keeper = FaceKeeper(adapters.people, adapters.tasks)
        remover = Remover(
            catalogue=adapters.catalogue,
            ledger=adapters.ledger,
            objects=adapters.objects,
            faces=self.face_keeper,
            bucket=adapters.bucket,
            models=list(self.models),
            messages=adapters.messages,
        )
        self.trash = TrashBin(
            catalogue=adapters.catalogue,
            collections=adapters.collections,
            trash=adapters.trash,
            remover=remover,
            faces=self.face_keeper,
            messages=adapters.messages,
            outages=adapters.outages,
            days=adapters.trash_days,
        )
        self.album_trash = AlbumBin(
            albums=adapters.albums,
            trash=adapters.album_trash,
            shares=adapters.shares,
            messages=adapters.messages,
            days=adapters.trash_days,
        )
        self.shares = AlbumShares(albums=adapters.albums, shares=adapters.shares, catalogue=adapters.catalogue)
        self.scans = DuplicateScans(adapters.scans, adapters.messages)
        self.library = Library(
            catalogue=adapters.catalogue,
            ledger=adapters.ledger,
            uploads=adapters.uploads,
            objects=adapters.objects,
            fetcher=adapters.fetcher,
            bucket=adapters.bucket,
        )
        self._active_model = self._active = adapters.active_model
        self._signatures_kept = adapters.signatures_kept
        self._searchers: dict[str, Searcher] = {}

    @cached_property
    def groups(self) -> "DuplicateGroups":
        from functions.api.duplicate_groups import DuplicateGroups
        from shared.search.near_duplicates import NearDuplicateFinder

        finder = NearDuplicateFinder(index=self.catalogue, signatures=self.objects, model=self._active_model)
        return DuplicateGroups(duplicates=self.duplicates, trash=self.trash, finder=finder, messages=self.messages)

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
    def searcher(self) -> "Searcher":
        from shared.search.searcher import Searcher
        from shared.vision.decode.decoding import SANDBOX

        SANDBOX.start()
        model = self.model
        if model.id not in self._searchers:
            self._searchers[model.id] = Searcher(
                index=self.catalogue,
                signatures=self.objects,
                embedder=model.embedder,
                model=model.id,
                signatures_kept=self._signatures_kept,
            )
        return self._searchers[model.id]
