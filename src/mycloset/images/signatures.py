"""What a file is by its first bytes, so that a message can name what came instead of a picture."""

from __future__ import annotations

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1a\x45\xdf\xa3", "Matroska or WebM video"),
)
_BRANDS = {
    "HEIC": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
    "AVIF": (b"avif", b"avis"),
    "Canon raw": (b"crx ",),
}  # ISO/IEC 14496-12: the four bytes after `ftyp` say which kind of file it is.

_AS_JPEG = "Save or export it as JPEG or PNG first."
_ADVICE = {
    "HEIC": "Export it as JPEG (on an iPhone: share it as JPEG, or set Camera, Formats to Most "
    "Compatible).",
    "ZIP": "Unpack it first.",
    "MP4 or QuickTime video": "Take one frame out of it and save it as JPEG or PNG.",
    "Matroska or WebM video": "Take one frame out of it and save it as JPEG or PNG.",
    "HTML": "This is a web page; save the picture itself.",
}


def kind_of(data: bytes) -> str | None:
    """Name of the file format that `data` begins like; None where it is not known."""
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        named = (kind for kind, brands in _BRANDS.items() if brand in brands)
        return next(named, "MP4 or QuickTime video")
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "SVG"
    return None


def advice_for(kind: str) -> str:
    """What to do about a file of a kind that is not read."""
    return _ADVICE.get(kind, _AS_JPEG)
