"""A vector search that compares a query with every vector of the database."""

import numpy as np

from shared.domain.features import FeatureVector
from shared.domain.ports import Candidate, Candidates
from shared.embedded.database import Database
from shared.embedded.records import read_records


class ExactSearch:
    """Implements `shared.domain.ports.VectorSearch`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        return self._nearest("features", features, collection, model, label, limit)

    def nearest_local(self, local: FeatureVector, *, collection: str, model: str, limit: int) -> Candidates:
        return self._nearest("local", local, collection, model, None, limit)

    def _nearest(
        self, kind: str, vector: FeatureVector, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT +image_id, vector FROM vectors WHERE collection = ? AND model = ? AND kind = ?"
                " AND (? IS NULL OR label = ?)",
                (collection, model, kind, label, label),
            ).fetchall()
            cosines = {image_id: float(np.frombuffer(data, "<f4") @ vector) for image_id, data in rows}
            nearest = sorted(cosines, key=lambda image_id: -cosines[image_id])[:limit]
            records = read_records(connection, nearest, collection=collection, model=model)
        return Candidates([Candidate(records[image_id], cosines[image_id]) for image_id in nearest], None)
