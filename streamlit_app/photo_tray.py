"""Collecting enrolment photos: from the camera and from files, each judged at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from html import escape

import streamlit as st

from ray_backend.client import Backend, Photo
from ray_backend.domain.answers import PhotoReview
from streamlit_app import pictures, presenters

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
    """Shows the inputs and the judged photos. `key` names this tray: another key is an empty tray."""
    camera, files = st.columns(2, gap="medium")
    with files:
        uploads = st.file_uploader(
            "Photo files", type=PICTURES, accept_multiple_files=True, key=f"{key}-files",
            help="JPEG, PNG or WebP. Several files can be chosen at once.",
        )  # fmt: skip
    with camera:
        _take_shots(key)
    shots = _shots(key)
    photos = [*shots.values(), *(Photo(upload.name, upload.getvalue()) for upload in uploads)]
    if len(photos) > MOST_PHOTOS:
        st.warning(f"Only the first {MOST_PHOTOS} photos are used: a few good ones are better than many.")
        photos = photos[:MOST_PHOTOS]
    reviews = _review(backend, key, photos, person_id)
    if photos:
        st.markdown(f"**{presenters.photos_summary(reviews)}**")
        _show(key, photos, reviews)
    return Tray(photos, reviews, "upload" if uploads else "camera")


def forget_reviews(key: str) -> None:
    """Judges the photos again at the next run: what is stored has changed."""
    st.session_state.pop(f"{key}-reviews", None)


def _take_shots(key: str) -> None:
    if not st.toggle("Take photos with the camera", key=f"{key}-camera-on"):
        st.caption("Three to five photos are best: look straight at the camera, good light, no hat.")
        return
    shot = st.camera_input("Take a photo, then clear it for the next one", key=f"{key}-camera")
    if shot is None:
        return
    seen = st.session_state.setdefault(f"{key}-seen", set())
    digest = _digest(shot.getvalue())
    if digest not in seen:
        seen.add(digest)
        _shots(key)[digest] = Photo(f"Shot {len(seen)}", shot.getvalue())


def _shots(key: str) -> dict[str, Photo]:
    return st.session_state.setdefault(f"{key}-shots", {})


def _review(backend: Backend, key: str, photos: list[Photo], person_id: str | None) -> list[PhotoReview]:
    """Each set of photos is judged once, not at every run: it is the face recognition that costs."""
    if not photos:
        return []
    digests = tuple(_digest(photo.data) for photo in photos)
    known = st.session_state.get(f"{key}-reviews")
    if known is None or known[0] != digests:
        with st.spinner("Looking at the photos"):
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
        st.html(pictures.photo_html(photo.data, box, f"Photo {escape(photo.label)}"))
    if review.accepted:
        st.badge("Accepted", icon=":material/check:", color="green")
    else:
        st.badge("Not used", icon=":material/close:", color="orange")
    reason = presenters.photo_reason(review)
    st.caption(f"{photo.label}  \n{reason}" if reason else photo.label)
    digest = _digest(photo.data)
    if digest in _shots(key):
        st.button("Remove", key=f"{key}-drop-{digest}", on_click=_shots(key).pop, args=(digest, None))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
