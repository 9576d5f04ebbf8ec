"""Decoding pictures: every format and orientation, and every way in which a file can be wrong."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ray_backend.domain.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from ray_backend.vision.images import PillowCodec, decode, encode_jpeg, thumbnail

LIMITS = {"max_bytes": 1_000_000, "max_pixels": 4_000_000}
RED_BGR, WHITE = (0, 0, 255), (255, 255, 255)


def file_of(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def quarters() -> Image.Image:
    """40 x 20: red, green above blue, white."""
    image = Image.new("RGB", (40, 20))
    for x, y, colour in ((0, 0, "red"), (20, 0, "lime"), (0, 10, "blue"), (20, 10, "white")):
        image.paste(colour, (x, y, x + 20, y + 10))
    return image


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 95, "subsampling": 0})],
)
def test_pictures_become_bgr_and_contiguous(kind, options):
    pixels = decode(file_of(quarters(), kind, **options), **LIMITS)
    assert pixels.shape == (20, 40, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    np.testing.assert_allclose(pixels[5, 10], RED_BGR, atol=6)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_every_png_mode_is_taken(mode):
    assert decode(file_of(Image.new(mode, (8, 6)), "PNG"), **LIMITS).shape == (6, 8, 3)


def test_cmyk_is_taken():
    data = file_of(Image.new("RGB", (8, 8), "red").convert("CMYK"), "JPEG", quality=95)
    np.testing.assert_allclose(decode(data, **LIMITS)[4, 4], RED_BGR, atol=8)


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 85, "subsampling": 2},
        {"quality": 85, "subsampling": 1},
        {"quality": 100, "subsampling": 0},
        {"quality": 60, "progressive": True},
        {"quality": 80, "optimize": True, "restart_marker_rows": 1},
    ],
)
def test_a_jpeg_has_the_pixels_that_pillow_sees(options):
    noise = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    data = file_of(Image.fromarray(noise).resize((91, 67), Image.Resampling.BICUBIC), "JPEG", **options)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("RGB"))[:, :, ::-1]
    np.testing.assert_array_equal(decode(data, **LIMITS), expected)


def test_grey_jpegs_are_taken():
    assert decode(file_of(quarters().convert("L"), "JPEG"), **LIMITS).shape == (20, 40, 3)


# How a camera that wrote this orientation stored an upright picture.
STORED = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_orientation_comes_out_upright(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = STORED[orientation](quarters())
    pixels = decode(file_of(stored, kind, exif=exif, quality=95), **LIMITS)
    upright = np.asarray(quarters())[:, :, ::-1]
    assert pixels.shape == upright.shape
    assert np.abs(pixels[5::10, 10::20].astype(int) - upright[5::10, 10::20]).max() < 40


def test_an_unknown_orientation_is_ignored():
    exif = Image.Exif()
    exif[0x0112] = 77
    assert decode(file_of(quarters(), "PNG", exif=exif), **LIMITS).shape == (20, 40, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_become_white(mode):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert(mode)
    options = {"transparency": image.getpixel((0, 0))} if mode == "P" else {}
    assert tuple(decode(file_of(image, "PNG", **options), **LIMITS)[0, 0]) == WHITE


def test_half_transparent_red_becomes_pink():
    pixels = decode(file_of(Image.new("RGBA", (4, 4), (255, 0, 0, 128)), "PNG"), **LIMITS)
    np.testing.assert_allclose(pixels[0, 0], (127, 127, 255), atol=1)


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    grey = np.array([[0, 257 * 100, 65535]], np.uint16)
    pixels = decode(file_of(Image.fromarray(grey), "PNG"), **LIMITS)
    assert pixels[0, :, 0].tolist() == [0, 100, 255]


def test_an_animation_gives_its_first_picture():
    data = file_of(
        Image.new("RGB", (9, 9), "red"),
        "WEBP",
        save_all=True,
        append_images=[Image.new("RGB", (9, 9), "blue")],
        lossless=True,
    )
    assert tuple(decode(data, **LIMITS)[0, 0]) == RED_BGR


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP"])
def test_other_formats_are_refused(kind):
    with pytest.raises(UnsupportedImage):
        decode(file_of(quarters(), kind), **LIMITS)


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(UnsupportedImage):
        decode(data, **LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_picture_cut_off_is_broken(kind, part):
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    data = file_of(Image.fromarray(noise), kind)
    with pytest.raises(BrokenImage):
        decode(data[: int(len(data) * part)], **LIMITS)


def test_too_many_bytes_are_refused():
    data = file_of(quarters(), "PNG")
    with pytest.raises(ImageTooLarge):
        decode(data, max_bytes=len(data) - 1, max_pixels=10**6)
    assert decode(data, max_bytes=len(data), max_pixels=800).shape == (20, 40, 3)


def test_too_many_pixels_are_refused():
    with pytest.raises(ImageTooLarge):
        decode(file_of(quarters(), "PNG"), max_bytes=10**6, max_pixels=799)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side):
    """A file of a few bytes that claims to be huge must not cost memory."""
    with pytest.raises(ImageTooLarge):
        decode(png_claiming(side, side), **LIMITS)


@pytest.mark.parametrize("claimed", [(60_000, 60_000), (8, 8)])
def test_a_jpeg_of_two_sizes_costs_no_memory_and_is_broken(claimed):
    """Decoders differ in whether the first or the last header counts."""
    data = file_of(quarters(), "JPEG")
    at = data.index(b"\xff\xc0")
    header = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
    other = header[:5] + struct.pack(">HH", *claimed) + header[9:]
    with pytest.raises((BrokenImage, ImageTooLarge)):
        decode(data[:at] + other + data[at:], **LIMITS)


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("longest", "expected"), [(99, 99), (100, 100), (199, 199), (200, 100), (900, 112)])
def test_large_pictures_are_reduced_but_not_below_what_is_wanted(kind, longest, expected):
    data = file_of(Image.new("RGB", (longest, longest // 3)), kind)
    pixels = decode(data, **LIMITS, reduce_to=100)
    assert abs(pixels.shape[1] - expected) <= 1


def test_a_turned_picture_is_reduced_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file_of(Image.new("RGB", (400, 200)), "JPEG", exif=exif)
    assert decode(data, **LIMITS, reduce_to=100).shape == (100, 50, 3)


def test_jpeg_goes_and_comes_back():
    picture = decode(file_of(quarters(), "PNG"), **LIMITS)
    back = decode(encode_jpeg(picture, quality=95), **LIMITS)
    np.testing.assert_allclose(back[5, 10], RED_BGR, atol=6)


@pytest.mark.parametrize("box", [(10, 10, 30, 30), (-20, -20, 15, 15), (60, 30, 130, 90), (0, 0, 100, 60)])
def test_thumbnails_are_square_wherever_the_face_is(box):
    picture = np.full((60, 100, 3), 90, np.uint8)
    assert decode(thumbnail(picture, box, size=48), **LIMITS).shape == (48, 48, 3)


def test_a_thumbnail_shows_the_face():
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[50:100, 80:130] = RED_BGR
    pixels = decode(thumbnail(picture, (80, 50, 130, 100), size=80), **LIMITS)
    np.testing.assert_allclose(pixels[40, 40], RED_BGR, atol=10)
    assert pixels[2, 2].max() < 20


def test_the_codec_keeps_its_limits():
    codec = PillowCodec(max_bytes=10**6, max_pixels=100)
    with pytest.raises(ImageTooLarge):
        codec.decode(file_of(quarters(), "PNG"))
    assert codec.thumbnail(np.zeros((50, 50, 3), np.uint8), (10, 10, 20, 20)).startswith(b"\xff\xd8")
