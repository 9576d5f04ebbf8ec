"""Collecting enrolment photos: from the camera and from files, each judged at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import streamlit as st

from ray_backend.client import Backend, Photo
from ray_backend.domain.answers import PhotoReview
from streamlit_app import pictures, presenters
from streamlit_app.i18n import _

PICTURES = ["jpg", "jpeg", "png", "webp"]
MOST_PHOTOS = 12
_CARD_PX = 210


@dataclass(frozen=True)
class Tray:
    """The photos of one form, with what would become of each."""

    photos: list[Photo]
    reviews: list[PhotoReview]
    source: str


def photo_tray(backend: Backend, key: str, person_id: str | None = None) -> Tray:
    """Shows the inputs and the judged photos. `key` names this tray: another key is an empty tray.

    Photos stay in their tray, also while another part of the page is shown, until they are removed there.
    """
    photo_inputs(key)
    return judged_photos(backend, key, person_id)


def photo_inputs(key: str) -> None:
    """Fields for single shots and for files."""
    camera, files = st.columns(2, gap="medium")
    with files:
        _take_files(key)
    with camera:
        _take_shots(key)


def judged_photos(backend: Backend, key: str, person_id: str | None = None) -> Tray:
    """The photos of a tray, each with its reason where it is not used."""
    tray = tray_of(key)
    if not tray.photos:
        return tray
    if len(_kept(key)) > MOST_PHOTOS:
        st.warning(
            _(
                "Only the first {number} photos are used: a few good ones are better than many.",
                number=MOST_PHOTOS,
            )
        )
    reviews = _review(backend, key, tray.photos, person_id)
    st.markdown(f"**{presenters.photos_summary(reviews)}**")
    _show(key, tray.photos, reviews)
    return Tray(tray.photos, reviews, tray.source)


def tray_of(key: str) -> Tray:
    """The photos of a tray, not judged."""
    kept = list(_kept(key).values())[:MOST_PHOTOS]
    source = "upload" if any(source == "upload" for _photo, source in kept) else "camera"
    return Tray([photo for photo, _source in kept], [], source)


def put_in_tray(key: str, photos: Iterable[Photo], source: str) -> None:
    """Adds photos; what is there already, or was there and was removed, is left out."""
    seen = st.session_state.setdefault(f"{key}-seen", set())
    for photo in photos:
        digest = _digest(photo.data)
        if digest not in seen:
            seen.add(digest)
            _kept(key)[digest] = (photo, source)


def forget_reviews(key: str) -> None:
    """Judges the photos again at the next run: what is stored has changed."""
    st.session_state.pop(f"{key}-reviews", None)


def _take_files(key: str) -> None:
    turn = st.session_state.setdefault(f"{key}-files-turn", 0)
    uploads = st.file_uploader(
        _("Photo files"), type=PICTURES, accept_multiple_files=True, key=f"{key}-files-{turn}",
        help=_("JPEG, PNG or WebP. Several files can be chosen at once."),
    )  # fmt: skip
    if uploads:
        _allow_again(key, [upload.getvalue() for upload in uploads])
        put_in_tray(key, [Photo(upload.name, upload.getvalue()) for upload in uploads], "upload")
        st.session_state[f"{key}-files-turn"] = turn + 1
        st.rerun()


def _allow_again(key: str, pictures: Iterable[bytes]) -> None:
    """Whoever chooses a file once more after removing it wants it."""
    st.session_state.setdefault(f"{key}-seen", set()).difference_update(
        digest for digest in map(_digest, pictures) if digest not in _kept(key)
    )


def _take_shots(key: str) -> None:
    if not st.toggle(_("Take photos with the camera"), key=f"{key}-camera-on"):
        st.caption(_("Three to five photos are best: look straight at the camera, good light, no hat."))
        return
    shot = st.camera_input(_("Take a photo, then clear it for the next one"), key=f"{key}-camera")
    if shot is None:
        return
    number = len(st.session_state.get(f"{key}-seen", ())) + 1
    put_in_tray(key, [Photo(_("Shot {number}", number=number), shot.getvalue())], "camera")


def _kept(key: str) -> dict[str, tuple[Photo, str]]:
    """Photos with where they came from, by their digest."""
    return st.session_state.setdefault(f"{key}-photos", {})


def _review(backend: Backend, key: str, photos: list[Photo], person_id: str | None) -> list[PhotoReview]:
    """Each set of photos is judged once, not at every run: it is the face recognition that costs."""
    digests = tuple(_digest(photo.data) for photo in photos)
    known = st.session_state.get(f"{key}-reviews")
    if known is None or known[0] != digests:
        with st.spinner(_("Looking at the photos")):
            known = (digests, backend.review(photos, person_id))
        st.session_state[f"{key}-reviews"] = known
    return known[1]


def _show(key: str, photos: list[Photo], reviews: list[PhotoReview]) -> None:
    row = st.container(horizontal=True)
    for photo, review in zip(photos, reviews, strict=True):
        with row.container(border=True, width=_CARD_PX):
            _show_one(key, photo, review)


def _show_one(key: str, photo: Photo, review: PhotoReview) -> None:
    if review.picture_size is not None:
        box = presenters.relative_box(review.box, review.picture_size)
        st.html(pictures.photo_html(photo.data, box, escape(_("Photo {label}", label=photo.label))))
    if review.accepted:
        st.badge(_("Accepted"), icon=":material/check:", color="green")
    else:
        st.badge(_("Not used"), icon=":material/close:", color="orange")
    reason = presenters.photo_reason(review)
    label = presenters.plain(photo.label)
    st.caption(f"{label}  \n{reason}" if reason else label)
    digest = _digest(photo.data)
    st.button(_("Remove"), key=f"{key}-drop-{digest}", on_click=_kept(key).pop, args=(digest, None))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
