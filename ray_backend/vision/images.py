"""Pictures: bytes to pixels and back, with Pillow; the pixels of most JPEGs come from simplejpeg.

Both use libjpeg-turbo and come to the same pixels; simplejpeg makes them where they are wanted, which takes a
third less time. A picture in Rollcall is (H, W, 3) uint8 BGR, C-contiguous, upright.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from ray_backend.domain.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from ray_backend.domain.model import Box

FORMATS = ("JPEG", "PNG", "WEBP")
EXIF_ORIENTATION = 0x0112
# What to do to a picture for each EXIF orientation (EXIF 2.3, tag 274).
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow's decoders raise on damaged files; found by fuzzing all three formats.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)
THUMBNAIL_MARGIN = 0.3
DETAIL_SIDE = 1600  # twice what any detector here looks at; faces keep enough pixels to be embedded


class PillowCodec:
    """Implements `ImageCodec` under fixed limits. Safe to call from several threads."""

    def __init__(self, *, max_bytes: int, max_pixels: int, reduce_to: int | None = DETAIL_SIDE) -> None:
        self._limits = {"max_bytes": max_bytes, "max_pixels": max_pixels, "reduce_to": reduce_to}

    def decode(self, data: bytes) -> np.ndarray:
        """As the function `decode`: very large pictures come back smaller."""
        return decode(data, **self._limits)

    def thumbnail(self, image_bgr: np.ndarray, box: Box) -> bytes:
        """As the function `thumbnail`."""
        return thumbnail(image_bgr, box)


def decode(data: bytes, *, max_bytes: int, max_pixels: int, reduce_to: int | None = None) -> np.ndarray:
    """The picture in a JPEG, PNG or WebP file as (H, W, 3) uint8 BGR, turned upright by its EXIF.

    Transparent parts become white, 16-bit grey is scaled to 8 bits. Size limits hold before any
    pixel is decoded. With `reduce_to`, a picture whose longest side is at least twice as long comes
    back at 1/2, 1/4 or 1/8 of its size, never below `reduce_to` pixels on its longest side.

    Raises ImageTooLarge, UnsupportedImage, BrokenImage.
    """
    if len(data) > max_bytes:
        raise ImageTooLarge(
            f"The picture has {len(data) / 1e6:.1f} MB; {max_bytes / 1e6:.1f} MB are allowed. "
            "Take a smaller one."
        )
    with _open(data) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise _too_many_pixels(max_pixels)
        factor = _reduction(max(width, height), reduce_to)
        try:
            if factor == 1 and (pixels := _quickly(data, image)) is not None:
                return pixels
            if factor > 1:
                # JPEG alone can do this, and then decodes only a part of the coefficients.
                image.draft(None, (width // factor, height // factor))
            image.load()
            return _pixels(image, _reduction(max(image.size), reduce_to), _orientation(image))
        except DAMAGE as error:
            raise BrokenImage("The picture is damaged or cut off. Take or send it again.") from error


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(None) from error
    except UnidentifiedImageError as error:
        if _looks_known(data):
            raise BrokenImage("The picture is damaged or cut off. Take or send it again.") from error
        raise UnsupportedImage("This is not a JPEG, PNG or WebP picture.") from error
    except DAMAGE as error:
        raise BrokenImage("The picture is damaged or cut off. Take or send it again.") from error


def _quickly(data: bytes, image: Image.Image) -> np.ndarray | None:
    """The pixels of an upright JPEG in colour; None where Pillow has to look, and judges damage."""
    if image.format != "JPEG" or image.mode != "RGB" or _orientation(image) in UPRIGHT:
        return None
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        # A file with two headers could show Pillow, and so the limits, a smaller picture.
        return simplejpeg.decode_jpeg(data, "BGR") if (width, height) == image.size else None
    except ValueError:
        return None


def _looks_known(data: bytes) -> bool:
    jpeg, png = data[:3] == b"\xff\xd8\xff", data[:8] == b"\x89PNG\r\n\x1a\n"
    return jpeg or png or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def _too_many_pixels(limit: int | None) -> ImageTooLarge:
    allowed = f"; {limit / 1e6:.1f} million are allowed" if limit else ""
    return ImageTooLarge(f"The picture has too many pixels{allowed}. Take a smaller one.")


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(EXIF_ORIENTATION, 1)
    except DAMAGE:
        return 1  # the picture itself is sound


def _reduction(longest: int, reduce_to: int | None) -> int:
    if reduce_to is None:
        return 1
    return next((factor for factor in (8, 4, 2) if longest // factor >= reduce_to), 1)


def _pixels(image: Image.Image, factor: int, orientation: int) -> np.ndarray:
    """`image` loaded; divided by `factor`, turned, without transparency, as BGR."""
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if factor > 1:
        image = image.reduce(factor)
    if orientation in UPRIGHT:
        image = image.transpose(UPRIGHT[orientation])
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    # Pillow turns RGB into BGR while it copies, several times faster than numpy does afterwards.
    pixels = np.frombuffer(bytearray(image.tobytes("raw", "BGR")), np.uint8)
    return pixels.reshape(image.height, image.width, 3)


def _eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16-bit grey as 8-bit grey. Pillow itself would clip at 255."""
    grey = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((grey + 128) // 257).astype(np.uint8))


def encode_jpeg(image_bgr: np.ndarray, quality: int = 90) -> bytes:
    """A (H, W, 3) uint8 BGR picture as JPEG bytes; `quality` 1 to 95."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image_bgr[:, :, ::-1])).save(out, "JPEG", quality=quality)
    return out.getvalue()


def thumbnail(image_bgr: np.ndarray, box: Box, size: int = 160) -> bytes:
    """A square JPEG of the face in `box` with some margin, `size` x `size` pixels.

    The square is moved, and if need be shrunk, to lie inside the picture.
    """
    height, width = image_bgr.shape[:2]
    x1, y1, x2, y2 = box
    side = round(max(x2 - x1, y2 - y1) * (1 + 2 * THUMBNAIL_MARGIN))
    side = max(1, min(side, height, width))
    left = _inside(round((x1 + x2 - side) / 2), width - side)
    top = _inside(round((y1 + y2 - side) / 2), height - side)
    crop = Image.fromarray(np.ascontiguousarray(image_bgr[top : top + side, left : left + side, ::-1]))
    out = io.BytesIO()
    crop.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=2).save(out, "JPEG", quality=85)
    return out.getvalue()


def _inside(start: int, last: int) -> int:
    return min(max(start, 0), last)
