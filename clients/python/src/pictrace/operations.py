"""Every call of the API. `docs/reference/api.md` says what they do."""

from collections.abc import Sequence
from typing import Unpack

from pictrace import answers, parameters
from pictrace.answers import Drawing
from pictrace.image_files import AnyImage, FilePart, ImageFile, read_any, read_file
from pictrace.operation import Parts, operation

AS_JSON = {"Accept": "application/json"}
"""For a link in the answer instead of a redirect."""


@operation("POST", "/v1/uploads", answers.UploadForm)
def open_upload(filename: str, *, content_type: str = "", collection: str | None = None) -> Parts:
    """Return a form for an upload; `upload` and `add` do it all."""
    return {"json": {"filename": filename, "content_type": content_type, "collection": collection}}


@operation("GET", "/v1/uploads/{upload_id}", answers.UploadState)
def upload_state(upload_id: str) -> Parts:
    """Return the state of an upload."""
    return {"path": {"upload_id": upload_id}}


@operation("POST", "/v1/images", answers.UploadAccepted)
def fetch_image(url: str, *, collection: str | None = None) -> Parts:
    """Add the image at a public URL; `wait` waits for the upload that this returns."""
    return {"json": {"url": url, "collection": collection}}


@operation("GET", "/v1/images", answers.ImagePage)
def list_images(**parameters: Unpack[parameters.ListParameters]) -> Parts:
    """Return a page of a collection; `images` iterates over all of them."""
    return {"query": parameters}


@operation("GET", "/v1/images/{image_id}", answers.ImageWithSources)
def get_image(image_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return the record of an image."""
    return {"path": {"image_id": image_id}, "query": where}


@operation("PATCH", "/v1/images/{image_id}", answers.ImageWithSources)
def change_image(image_id: str, *, collection: str | None = None, **change: Unpack[parameters.ImageChange]) -> Parts:
    """Change the caller's own metadata; None removes a value, and what is left out stays."""
    return {"path": {"image_id": image_id}, "query": {"collection": collection}, "json": change, "repeatable": True}


@operation("PUT", "/v1/images/{image_id}/tags/{tag}", answers.ImageWithSources)
def add_tag(image_id: str, tag: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Give an image a tag, which it keeps whatever the network sees in it."""
    return {"path": {"image_id": image_id, "tag": tag}, "query": where}


@operation("DELETE", "/v1/images/{image_id}/tags/{tag}", answers.ImageWithSources)
def remove_tag(image_id: str, tag: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Remove a tag of an image for good."""
    return {"path": {"image_id": image_id, "tag": tag}, "query": where}


@operation("GET", "/v1/tags", answers.TagList)
def tags(**where: Unpack[parameters.InCollection]) -> Parts:
    """Return the tags of a collection, the most frequent first."""
    return {"query": where}


@operation("GET", "/v1/albums", answers.AlbumPage)
def list_albums(**page: Unpack[parameters.AlbumPageParameters]) -> Parts:
    """Return a page of the albums of a collection, or those that have an image; `albums` iterates over all of them."""
    return {"query": page}


@operation("POST", "/v1/albums", answers.AlbumState)
def create_album(title: str, *, description: str | None = None, collection: str | None = None) -> Parts:
    """Create an album."""
    return {"json": {"title": title, "description": description, "collection": collection}}


@operation("GET", "/v1/albums/{album_id}", answers.AlbumState)
def get_album(album_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return an album; `images(album=...)` iterates over its images."""
    return {"path": {"album_id": album_id}, "query": where}


@operation("PATCH", "/v1/albums/{album_id}", answers.AlbumState)
def change_album(album_id: str, *, collection: str | None = None, **change: Unpack[parameters.AlbumUpdate]) -> Parts:
    """Rename or describe an album, or choose its cover; what is left out stays."""
    return {"path": {"album_id": album_id}, "query": {"collection": collection}, "json": change, "repeatable": True}


@operation("PUT", "/v1/albums/{album_id}", answers.AlbumState)
def put_album(
    album_id: str, title: str, *, description: str | None = None, **where: Unpack[parameters.InCollection]
) -> Parts:
    """Create an album under the id that it had elsewhere, or restore it; one that is there is not changed."""
    body = {"title": title, "description": description}
    return {"path": {"album_id": album_id}, "query": where, "json": body, "repeatable": True}


@operation("DELETE", "/v1/albums/{album_id}", type(None))
def delete_album(album_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Move an album into the trash; links to it end, and its images stay."""
    return {"path": {"album_id": album_id}, "query": where}


@operation("PATCH", "/v1/albums/{album_id}/images", answers.ChangedAlbum)
def change_album_images(
    album_id: str, *, collection: str | None = None, **images: Unpack[parameters.AlbumImages]
) -> Parts:
    """Add images to an album, and remove others; at most 100 of each."""
    return {"path": {"album_id": album_id}, "query": {"collection": collection}, "json": images, "repeatable": True}


@operation("GET", "/v1/albums/{album_id}/shares", answers.ShareList)
def list_shares(album_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return the links to an album that have not ended, without their tokens."""
    return {"path": {"album_id": album_id}, "query": where}


@operation("POST", "/v1/albums/{album_id}/shares", answers.NewShare)
def create_share(album_id: str, *, days: int | None = None, collection: str | None = None) -> Parts:
    """Create a link that shows an album to everybody who has it, for 30 days by default."""
    body = {} if days is None else {"days": days}
    return {"path": {"album_id": album_id}, "query": {"collection": collection}, "json": body}


@operation("DELETE", "/v1/albums/{album_id}/shares/{share_id}", type(None))
def revoke_share(album_id: str, share_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """End a link to an album."""
    return {"path": {"album_id": album_id, "share_id": share_id}, "query": where}


@operation("GET", "/v1/shared/{token}", answers.SharedAlbum)
def shared_album(token: str) -> Parts:
    """Return the album under a link; needs no key."""
    return {"path": {"token": token}}


@operation("GET", "/v1/shared/{token}/images", answers.SharedPage)
def list_shared_images(token: str, **page: Unpack[parameters.PageParameters]) -> Parts:
    """Return a page of the images under a link; `shared_images` iterates over all of them."""
    return {"path": {"token": token}, "query": page}


@operation("GET", "/v1/shared/{token}/images/{image_id}/content", answers.Link)
def shared_image_link(token: str, image_id: str) -> Parts:
    """Return a link to an image of a shared album, without metadata."""
    return {"path": {"token": token, "image_id": image_id}, "headers": AS_JSON}


@operation("GET", "/v1/shared/{token}/images/{image_id}/thumbnail", answers.Link)
def shared_thumbnail_link(token: str, image_id: str) -> Parts:
    """Return a link to a small WebP of an image of a shared album."""
    return {"path": {"token": token, "image_id": image_id}, "headers": AS_JSON}


@operation("DELETE", "/v1/images/{image_id}", type(None))
def delete_image(image_id: str, **where: Unpack[parameters.RemovalParameters]) -> Parts:
    """Move an image into the trash."""
    return {"path": {"image_id": image_id}, "query": where}


@operation("GET", "/v1/images/{image_id}/content", answers.Link)
def image_link(image_id: str, **where: Unpack[parameters.DownloadParameters]) -> Parts:
    """Return a link to the image itself; `download` returns its bytes."""
    return {"path": {"image_id": image_id}, "query": where, "headers": AS_JSON}


@operation("GET", "/v1/images/{image_id}/thumbnail", answers.Link)
def thumbnail_link(image_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return a link to a small WebP of the image."""
    return {"path": {"image_id": image_id}, "query": where, "headers": AS_JSON}


@operation("GET", "/v1/images/{image_id}/similar", answers.SearchAnswer)
def similar(image_id: str, **parameters: Unpack[parameters.SearchParameters]) -> Parts:
    """Search for images like a stored one, without itself."""
    return {"path": {"image_id": image_id}, "query": parameters}


@operation("POST", "/v1/search", answers.SearchAnswer)
def search(image: AnyImage, **parameters: Unpack[parameters.SearchParameters]) -> Parts:
    """Search for the nearest images."""
    query = read_any(image)
    body: Parts = {"files": {"file": query}} if isinstance(query, FilePart) else {"json": {query.field: query.value}}
    return {**body, "query": parameters, "repeatable": True}


@operation("POST", "/v1/search/hashes", answers.HashMatchPage)
def search_hashes(
    *,
    phash: str | Sequence[str] | None = None,
    pdq: str | Sequence[str] | None = None,
    **parameters: Unpack[parameters.HashParameters],
) -> Parts:
    """Return a page of the images near one of the hashes of one kind; `hash_matches` iterates over all of them."""
    given = {name: value for name, value in (("phash", phash), ("pdq", pdq)) if value is not None}
    hashes = {name: value if isinstance(value, str) else list(value) for name, value in given.items()}
    return {"json": hashes, "query": parameters, "repeatable": True}


@operation("POST", "/v1/compare", answers.Comparison)
def compare(a: AnyImage, b: AnyImage, **parameters: Unpack[parameters.CompareParameters]) -> Parts:
    """Return every score of two images: files or image ids, or image ids or URLs."""
    return {**_pair(a, b), "query": parameters}


@operation("POST", "/v1/compare", bytes)
def draw_comparison(
    a: AnyImage, b: AnyImage, *, picture: Drawing, **parameters: Unpack[parameters.CompareParameters]
) -> Parts:
    """Return a PNG of the keypoints that agree (`matches`), or of the areas that differ (`difference`)."""
    return {**_pair(a, b), "query": {**parameters, "picture": picture}}


def _pair(a: AnyImage, b: AnyImage) -> Parts:
    pair = {"a": read_any(a), "b": read_any(b)}
    files = {name: image for name, image in pair.items() if isinstance(image, FilePart)}
    values = {name: image.value for name, image in pair.items() if not isinstance(image, FilePart)}
    return {"files": files, "form": values, "repeatable": True} if files else {"json": values, "repeatable": True}


@operation("GET", "/v1/collections", answers.CollectionPage)
def list_collections(**page: Unpack[parameters.PageParameters]) -> Parts:
    """Return a page of the caller's collections; `collections` iterates over all of them."""
    return {"query": page}


@operation("GET", "/v1/collections/{collection}", answers.CollectionState)
def collection(collection: str) -> Parts:
    """Return a collection."""
    return {"path": {"collection": collection}}


@operation("PATCH", "/v1/collections/{collection}", answers.CollectionState)
def change_collection(collection: str, *, faces: bool) -> Parts:
    """Have the faces of a collection's images found and stored from now on, or not."""
    return {"path": {"collection": collection}, "json": {"faces": faces}}


@operation("PUT", "/v1/collections/{collection}", answers.CollectionState)
def put_collection(collection: str, *, title: str | None = None) -> Parts:
    """Create a collection, or set its title."""
    return {"path": {"collection": collection}, "json": {"title": title}}


@operation("DELETE", "/v1/collections/{collection}", type(None))
def remove_collection(collection: str) -> Parts:
    """Remove an empty collection."""
    return {"path": {"collection": collection}}


@operation("GET", "/v1/duplicates", answers.DuplicatePage)
def list_duplicates(**page: Unpack[parameters.CollectionPageParameters]) -> Parts:
    """Return a page of the groups of near-duplicates; `duplicates` iterates over all of them."""
    return {"query": page}


@operation("GET", "/v1/duplicates/check", answers.DuplicateCheckState)
def duplicate_check(**where: Unpack[parameters.InCollection]) -> Parts:
    """Return the progress of comparing a collection again."""
    return {"query": where}


@operation("POST", "/v1/duplicates/check", answers.DuplicateCheckState)
def start_duplicate_check(**where: Unpack[parameters.InCollection]) -> Parts:
    """Compare every image of a collection again."""
    return {"query": where}


@operation("POST", "/v1/duplicates/decisions", type(None))
def decide_duplicates(**decision: Unpack[parameters.DuplicateDecision]) -> Parts:
    """Remember that two images are not to be grouped; None forgets it."""
    return {"json": decision, "repeatable": True}


@operation("GET", "/v1/duplicates/decisions", answers.DecisionPage)
def list_decisions(**page: Unpack[parameters.CollectionPageParameters]) -> Parts:
    """Return a page of what was decided on pairs of images; `decisions` iterates over all of it."""
    return {"query": page}


@operation("POST", "/v1/duplicates/resolve", answers.ResolvedDuplicates)
def resolve_duplicates(**resolution: Unpack[parameters.DuplicateResolution]) -> Parts:
    """Keep one image of each group and move the others into the trash, or say what would be done (`dry_run`)."""
    return {"json": resolution}


@operation("GET", "/v1/duplicates/{image_id}", answers.DuplicateGroup)
def duplicate_group(image_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return the group of an image."""
    return {"path": {"image_id": image_id}, "query": where}


@operation("PUT", "/v1/duplicates/{image_id}/kept", answers.DuplicateGroup)
def keep_image(group_id: str, image_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Choose which image of a group is kept."""
    return {"path": {"image_id": group_id}, "query": where, "json": {"image_id": image_id}}


@operation("GET", "/v1/trash", answers.TrashPage)
def list_trash(**page: Unpack[parameters.CollectionPageParameters]) -> Parts:
    """Return a page of the deleted images; `trash` iterates over all of them."""
    return {"query": page}


@operation("POST", "/v1/trash/{image_id}/restore", answers.Image)
def restore_image(image_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Restore a deleted image."""
    return {"path": {"image_id": image_id}, "query": where}


@operation("GET", "/v1/trash/albums", answers.TrashedAlbumPage)
def list_trashed_albums(**page: Unpack[parameters.CollectionPageParameters]) -> Parts:
    """Return a page of the deleted albums; `trashed_albums` iterates over all of them."""
    return {"query": page}


@operation("POST", "/v1/trash/albums/{album_id}/restore", answers.AlbumState)
def restore_album(album_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Restore a deleted album with its images and links."""
    return {"path": {"album_id": album_id}, "query": where}


@operation("DELETE", "/v1/trash/{image_id}", type(None))
def purge_image(image_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Remove a deleted image for good."""
    return {"path": {"image_id": image_id}, "query": where}


@operation("DELETE", "/v1/trash", type(None))
def empty_trash(**where: Unpack[parameters.InCollection]) -> Parts:
    """Remove all deleted images and albums of a collection for good."""
    return {"query": where}


@operation("GET", "/v1/people", answers.PersonPage)
def list_people(**page: Unpack[parameters.PeopleParameters]) -> Parts:
    """Return a page of the persons of a collection; `people` iterates over all of them."""
    return {"query": page}


@operation("PATCH", "/v1/people", answers.People)
def hide_people(people: Sequence[str], *, hidden: bool = True, **where: Unpack[parameters.InCollection]) -> Parts:
    """Hide several persons, or show them again."""
    return {"query": where, "json": {"people": list(people), "hidden": hidden}, "repeatable": True}


@operation("GET", "/v1/people/suggestions", answers.PairPage)
def same_people(**page: Unpack[parameters.CollectionPageParameters]) -> Parts:
    """Return a page of pairs of persons who may be the same."""
    return {"query": page}


@operation("POST", "/v1/people/search", answers.PeopleAnswer)
def who(image: AnyImage, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return who is in a picture, of which nothing is stored."""
    query = read_any(image)
    body: Parts = {"files": {"file": query}} if isinstance(query, FilePart) else {"json": {query.field: query.value}}
    return {**body, "query": where, "repeatable": True}


@operation("GET", "/v1/people/records", answers.PeopleRecords)
def people_records(**page: Unpack[parameters.CollectionPageParameters]) -> Parts:
    """Return a page of what is known of people, to be moved: persons, then faces."""
    return {"query": page}


@operation("POST", "/v1/people/records", type(None))
def restore_people(
    persons: Sequence[answers.PersonRecord] = (),
    faces: Sequence[answers.FaceRecord] = (),
    *,
    overwrite: bool = False,
    **where: Unpack[parameters.InCollection],
) -> Parts:
    """Restore persons, or faces, as `people_records` returned them; merged persons once more after all others."""
    body = {"persons": list(persons), "faces": list(faces), "overwrite": overwrite}
    return {"query": where, "json": body, "repeatable": True}


@operation("GET", "/v1/people/{person_id}", answers.Person)
def get_person(person_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return a person."""
    return {"path": {"person_id": person_id}, "query": where}


@operation("PATCH", "/v1/people/{person_id}", answers.Person)
def change_person(person_id: str, *, collection: str | None = None, **change: Unpack[parameters.PersonChange]) -> Parts:
    """Name a person, hide them, or choose the face that shows them; None removes name and face."""
    return {"path": {"person_id": person_id}, "query": {"collection": collection}, "json": change, "repeatable": True}


@operation("GET", "/v1/people/{person_id}/faces", answers.FacePage)
def person_faces(person_id: str, **page: Unpack[parameters.CollectionPageParameters]) -> Parts:
    """Return a page of the faces of a person."""
    return {"path": {"person_id": person_id}, "query": page}


@operation("GET", "/v1/people/{person_id}/suggestions", answers.Suggestions)
def person_suggestions(person_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return persons and faces that may be the same as a person."""
    return {"path": {"person_id": person_id}, "query": where}


@operation("POST", "/v1/people/{person_id}/merge", answers.Person)
def merge_people(person_id: str, into: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Merge a person into another."""
    return {"path": {"person_id": person_id}, "query": where, "json": {"into": into}, "repeatable": True}


@operation("POST", "/v1/people/{person_id}/unmerge", answers.Person)
def unmerge_person(person_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Undo the merge of a person."""
    return {"path": {"person_id": person_id}, "query": where, "repeatable": True}


@operation("POST", "/v1/people/{person_id}/apart", type(None))
def tell_apart(person_id: str, other: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Say that two persons are not the same."""
    return {"path": {"person_id": person_id}, "query": where, "json": {"person_id": other}, "repeatable": True}


@operation("GET", "/v1/faces", answers.FacePage)
def list_faces(**page: Unpack[parameters.FaceParameters]) -> Parts:
    """Return the faces of an image, or a page of those that belong to nobody."""
    return {"query": page}


@operation("PUT", "/v1/faces/{face_id}/person", answers.Face)
def confirm_face(face_id: str, *, collection: str | None = None, **owner: Unpack[parameters.FaceOwner]) -> Parts:
    """Say who a face is: an existing person, or a new one with this name."""
    return {"path": {"face_id": face_id}, "query": {"collection": collection}, "json": owner}


@operation("DELETE", "/v1/faces/{face_id}/person", answers.Face)
def reject_face(face_id: str, **person: Unpack[parameters.RejectedPerson]) -> Parts:
    """Say who a face is not: by default the person whom it belongs to."""
    return {"path": {"face_id": face_id}, "query": person}


@operation("DELETE", "/v1/collections/{collection}/faces", answers.Erased)
def erase_faces(collection: str) -> Parts:
    """Turn faces off in a collection, and erase all faces and persons of it for ever."""
    return {"path": {"collection": collection}}


@operation("GET", "/v1/stats", answers.Stats)
def stats(**where: Unpack[parameters.InCollection]) -> Parts:
    """Return counts, model, versions and limits."""
    return {"query": where}


@operation("GET", "/health", answers.Health)
def health() -> Parts:
    """Return whether the API runs, and its version."""
    return {}


@operation("POST", "/upload/", answers.LegacyAnswer)
def legacy_upload(image: ImageFile, **where: Unpack[parameters.InCollection]) -> Parts:
    """Search and store, as the legacy API does."""
    return {"files": {"file": read_file(image)}, "query": where}


@operation("POST", "/upload_from_url/", answers.LegacyAnswer)
def legacy_upload_from_url(image_url: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Search and store an image of the web, as the legacy API does."""
    return {"form": {"image_url": image_url}, "query": where}


@operation("GET", "/uploads/{image_id}.jpg", str)
def legacy_image_url(image_id: str, **where: Unpack[parameters.InCollection]) -> Parts:
    """Return the URL of an image's bytes, as the legacy API does."""
    return {"path": {"image_id": image_id}, "query": where}
