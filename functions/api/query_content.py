"""What the query of a request stands for: the bytes of an image, or the record of a stored one."""

from functions.api import query_image
from functions.api.problems import Problem
from functions.api.services import Services
from shared.domain.access import Caller
from shared.domain.images import ImageRecord, UploadStatus
from shared.search.stored_bytes import read_bytes


def query_bytes(services: Services, caller: Caller, query: query_image.Query) -> bytes:
    """Return the bytes of a query's image."""
    match query:
        case query_image.Bytes(given):
            return given
        case query_image.Address(url):
            return services.fetcher.read(url)
        case _:
            return read_bytes(stored_record(services, caller, query), services.objects)


def stored_record(services: Services, caller: Caller, query: query_image.Stored | query_image.Uploaded) -> ImageRecord:
    """Return the record of a stored image, or of the image of an upload.

    Raises:
        NotFound: the caller has no such image.
        Problem: the upload has no image yet, or was rejected.
    """
    match query:
        case query_image.Stored(image_id):
            return services.library.image(image_id, caller.reach(None))
        case query_image.Uploaded(upload_id):
            upload = services.library.upload(upload_id, caller.reach(None))
            if upload.status is UploadStatus.PENDING:
                raise Problem("upload-pending", "Query the upload's state until it is indexed, then search again.")
            if upload.image_id is None:
                raise Problem("upload-rejected", f"This upload was rejected: {upload.reason}")
            return services.library.image(upload.image_id, [upload.collection])
