from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from mycloset.errors import ImageError
from mycloset.images import MAX_PIXELS, Picture, picture, read_picture, reading

HEIGHT, WIDTH = 72, 96


def scene() -> np.ndarray:
    """Four flat quarters, so that turning, loss and modes can be told apart."""
    rgb = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:36, :48], rgb[:36, 48:] = (200, 40, 30), (30, 160, 60)
    rgb[36:, :48], rgb[36:, 48:] = (40, 60, 190), (240, 240, 240)
    return rgb


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def corners(rgb: np.ndarray) -> list[tuple[int, ...]]:
    """Colours in the middle of the four quarters, row by row."""
    height, width = rgb.shape[:2]
    return [
        tuple(int(v) for v in rgb[y, x])
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    ]


def assert_scene(found: Picture, tolerance: int = 0) -> None:
    assert found.rgb.dtype == np.uint8
    assert found.rgb.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(np.subtract(corners(found.rgb), corners(scene()))).max() <= tolerance


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("PPM", {}, 0),
        ("GIF", {}, 4),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 6),
        ("JPEG", {"quality": 95, "progressive": True}, 6),
    ],
)
def test_formats(kind: str, options: dict[str, Any], tolerance: int) -> None:
    found = read_picture(encoded(Image.fromarray(scene()), kind, **options))
    assert_scene(found, tolerance)
    assert found.alpha is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    upright = Image.fromarray(scene())
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_scene(read_picture(encoded(stored, kind, exif=exif.tobytes())), tolerance=12)


def test_unreadable_exif_leaves_the_picture_as_it_is() -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff")
    assert_scene(read_picture(data), tolerance=6)


@pytest.mark.parametrize("mode", ["L", "1"])
@pytest.mark.filterwarnings("error")
def test_grey_becomes_three_equal_channels(mode: str) -> None:
    image = Image.fromarray(scene()).convert(mode, dither=Image.Dither.NONE)
    found = read_picture(encoded(image, "PNG"))
    assert found.alpha is None
    assert np.array_equal(found.rgb, np.asarray(image.convert("RGB")))
    assert corners(found.rgb)[3][0] >= 240


def test_alpha_is_kept_and_colours_lie_on_white() -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, 48:] = 255
    alpha[:36, :48] = 128
    data = encoded(Image.fromarray(np.dstack([scene(), alpha])), "PNG")
    found = read_picture(data)
    assert np.array_equal(found.alpha, alpha)
    red, green, white, _ = corners(found.rgb)
    assert np.abs(np.subtract(red, (227, 147, 142))).max() <= 1
    assert green == (30, 160, 60)
    assert white == (255, 255, 255)


def test_alpha_that_is_opaque_everywhere_is_none() -> None:
    opaque = np.full((HEIGHT, WIDTH), 255, np.uint8)
    found = read_picture(encoded(Image.fromarray(np.dstack([scene(), opaque])), "PNG"))
    assert found.alpha is None
    assert_scene(found)


@pytest.mark.parametrize("mode", ["LA", "La", "RGBa", "PA"])
def test_modes_with_alpha(mode: str) -> None:
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:36] = 0
    grey = Image.fromarray(scene()).convert("L")
    image = Image.merge("LA", (grey, Image.fromarray(alpha)))
    given_as = (
        image.convert("RGBA").convert(mode) if mode in ("RGBa", "PA") else image.convert(mode)
    )
    found = read_picture(given_as)
    assert np.array_equal(found.alpha, alpha)
    assert corners(found.rgb)[0] == (255, 255, 255)
    assert abs(corners(found.rgb)[2][0] - int(np.asarray(grey)[60, 20])) <= 1


def test_palettes_with_and_without_transparency() -> None:
    palette = Image.fromarray(scene()).quantize(8)
    assert_scene(read_picture(encoded(palette, "PNG")), tolerance=8)
    blue = palette.getpixel((20, 60))
    found = read_picture(encoded(palette, "PNG", transparency=blue))
    assert found.alpha is not None
    assert found.alpha[60, 20] == 0
    assert found.alpha[10, 10] == 255
    assert corners(found.rgb)[2] == (255, 255, 255)


def test_a_transparent_colour_of_an_rgb_png() -> None:
    found = read_picture(encoded(Image.fromarray(scene()), "PNG", transparency=(40, 60, 190)))
    assert found.alpha is not None
    assert (found.alpha[36:, :48] == 0).all()
    assert (found.alpha[:36] == 255).all()


def test_cmyk_jpeg_whose_bytes_are_inverted_as_adobe_does() -> None:
    # Pillow writes CMYK JPEG inverted, with Adobe's marker, as Photoshop does.
    data = encoded(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data[:200]
    assert_scene(read_picture(data), tolerance=10)


def test_cmyk_tiff() -> None:
    assert_scene(read_picture(encoded(Image.fromarray(scene()).convert("CMYK"), "TIFF")), 2)


def test_lab_has_no_alpha() -> None:
    lab = ImageCms.profileToProfile(
        Image.fromarray(scene()),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert lab is not None
    found = read_picture(encoded(lab, "TIFF"))
    assert found.alpha is None
    assert_scene(found, tolerance=8)


def deep_png(values: np.ndarray) -> bytes:
    """A 16-bit PNG of (H, W) or (H, W, C) values, which Pillow itself cannot write in colour."""
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = values.reshape(height, -1).astype(">u2")
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(width, height, 16, colour, zlib.compress(raw))


def png(width: int, height: int, depth: int, colour: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_16_bit_png() -> None:
    deep = scene().astype(np.uint16) * 257
    assert_scene(read_picture(deep_png(deep)), tolerance=1)
    grey = read_picture(deep_png(deep[..., 1]))
    assert [c[0] for c in corners(grey.rgb)] == [40, 160, 60, 240]
    with_alpha = np.dstack([deep, np.full((HEIGHT, WIDTH), 32768, np.uint16)])
    found = read_picture(deep_png(with_alpha))
    assert found.alpha is not None
    assert abs(int(found.alpha[0, 0]) - 128) <= 1


def test_a_dark_16_bit_picture_stays_dark() -> None:
    dark = np.full((80, 80), 200, np.uint16)
    assert read_picture(deep_png(dark)).rgb.max() <= 1


def test_16_bit_tiff(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    deep = scene().astype(np.uint16) * 257
    for name, values in (("colour", deep), ("grey", deep[..., 1])):
        path = tmp_path / f"{name}.tif"
        tifffile.imwrite(path, values, photometric="rgb" if values.ndim == 3 else "minisblack")
        found = read_picture(path)
        assert np.abs(found.rgb[20, 20].astype(int) - (values[20, 20] // 257)).max() <= 1


def test_tiff_of_floats() -> None:
    ramp = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    found = read_picture(encoded(Image.fromarray(ramp), "TIFF"))
    assert found.rgb[0, 0, 0] == 0
    assert found.rgb[-1, -1, 0] == 255
    ramp[3, 3] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        read_picture(encoded(Image.fromarray(ramp), "TIFF"))
    with pytest.raises(ImageError, match="run from"):
        read_picture(encoded(Image.fromarray(np.full((80, 80), -4.0, np.float32)), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_read(kind: str) -> None:
    first = Image.fromarray(scene())
    options = {"lossless": True} if kind == "WEBP" else {}
    others = [first.transpose(Image.Transpose.ROTATE_180)] * 2
    data = encoded(first, kind, save_all=True, append_images=others, **options)
    assert_scene(read_picture(data), tolerance=4)


def swapped_profile() -> bytes:
    """sRGB with red and blue exchanged, under another name."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for a, b in ((b"rXYZ", b"bXYZ"),):
        data = data.replace(a, b"????", 1).replace(b, a, 1).replace(b"????", b, 1)
    return data.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


@pytest.mark.parametrize("with_alpha", [False, True])
def test_colour_profiles_are_applied(with_alpha: bool) -> None:
    rgb = scene()
    image = Image.fromarray(rgb)
    if with_alpha:
        alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
        alpha[:, 90:] = 0
        image = Image.fromarray(np.dstack([rgb, alpha]))
    found = read_picture(encoded(image, "PNG", icc_profile=swapped_profile()))
    expected = [colour[::-1] for colour in corners(rgb)]
    assert np.abs(np.subtract(corners(found.rgb), expected)).max() <= 12
    assert (found.alpha is not None) == with_alpha


@pytest.mark.parametrize("profile", [b"not a profile", b"\0" * 200])
def test_broken_profiles_are_ignored(profile: bytes) -> None:
    assert_scene(read_picture(encoded(Image.fromarray(scene()), "PNG", icc_profile=profile)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"Dear reader, this is no picture.", "not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 90, "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + b"\0" * 90, "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2" + b"\0" * 90, "video"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 90, "JPEG XL"),
        (b"%PDF-1.7\n" + b"\0" * 90, "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n", "PostScript"),
        (b"PK\x03\x04" + b"\0" * 90, "ZIP"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"\n<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\x89PNG\r\n\x1a\n", "this PNG file is damaged"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "this JPEG file is damaged"),
    ],
)
def test_what_is_not_read_is_named_with_advice(data: bytes, said: str) -> None:
    with pytest.raises(ImageError, match=said) as caught:
        read_picture(data, role="person picture")
    assert str(caught.value).startswith(f"person picture ({len(data)} bytes): ")
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_cut_off_files_are_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 90, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"damaged|cut off|not a picture"):
        read_picture(data[: int(share * len(data))])


@pytest.mark.parametrize("size", [(60_000, 60_000), (12_000, 9_000), (5_001, 10_000)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_before_decoding(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(_: Image.Image) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(Image.Image, "load", decode)
    data = png(*size, 8, 2, zlib.compress(b"\0" * 100))
    with pytest.raises(ImageError, match="50 million pixels"):
        read_picture(data)


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_an_image_error_where_warnings_are_errors() -> None:
    with pytest.raises(ImageError, match="50 million pixels"):
        read_picture(png(12_000, 9_000, 8, 2, b""))


def test_large_pictures_within_bounds_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_PIXELS", 100 * 90)
    read_picture(np.zeros((90, 100), np.uint8))
    with pytest.raises(ImageError, match="101x90"):
        read_picture(np.zeros((90, 101), np.uint8))
    assert MAX_PIXELS == 50_000_000


@pytest.mark.parametrize("size", [(63, 64), (64, 63), (1, 500)])
def test_small_pictures_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match=f"{size[0]}x{size[1]} pixels; each side needs"):
        read_picture(encoded(Image.new("RGB", size), "PNG"))
    read_picture(Image.new("RGB", (64, 64)))


def test_files_larger_than_any_picture_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    path = tmp_path / "large.png"
    path.write_bytes(b"\0" * 1001)
    with pytest.raises(ImageError, match="larger than"):
        read_picture(path)


@pytest.mark.parametrize("name", ["missing.jpg", ".", "no\0name.png"])
def test_paths_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        read_picture(f"{tmp_path}/{name}", role="garment picture")


def test_all_sources_give_the_same_picture(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(scene()), "PNG")
    path = tmp_path / "scene.png"
    path.write_bytes(data)
    sources = [
        path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), path.open("rb"),
        Image.open(path), scene(),
    ]  # fmt: skip
    for source in sources:
        assert np.array_equal(read_picture(source).rgb, scene()), type(source)


def test_a_picture_is_passed_through() -> None:
    once = read_picture(scene())
    assert read_picture(once) is once


@pytest.mark.parametrize("source", [None, 7, ["a.png"], {"a": 1}, object()])
def test_other_objects_are_no_pictures(source: object) -> None:
    with pytest.raises(ImageError, match="is not a picture"):
        read_picture(source)


def test_a_file_opened_as_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    with path.open() as file, pytest.raises(ImageError, match="binary mode"):
        read_picture(file)


def test_a_pipe_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, encoded(Image.fromarray(scene()), "PNG"))
    os.close(writer)
    try:
        assert_scene(read_picture(f"/dev/fd/{reader}"))
    finally:
        os.close(reader)


SEEDS = [
    encoded(Image.fromarray(scene()), "PNG"),
    encoded(Image.fromarray(scene()), "JPEG"),
    encoded(Image.fromarray(scene()), "WEBP"),
    encoded(Image.fromarray(scene()), "GIF"),
    encoded(Image.fromarray(scene()), "BMP"),
    encoded(Image.fromarray(scene()).convert("LA"), "PNG"),
]


@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    length=st.one_of(st.none(), st.integers(0, 5000)),
)
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_read_or_refused_but_nothing_else(
    seed: bytes, changes: list[tuple[int, int]], length: int | None
) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[place % len(data)] = value
    try:
        found = read_picture(bytes(data[:length]))
    except ImageError:
        return
    assert found.rgb.dtype == np.uint8
    assert found.rgb.ndim == 3
