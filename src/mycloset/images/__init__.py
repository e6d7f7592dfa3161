"""Reading pictures within bounds, from any form a caller has them in, and writing them whole.

Everything above this package works on one form only: `uint8` RGB arrays of shape (H, W, 3), upright
(EXIF orientation applied), in sRGB.
"""

from mycloset.images.picture import (
    MAX_BYTES,
    MAX_PIXELS,
    MIN_SIDE,
    READ_FORMATS,
    RGB,
    ImageSource,
    Picture,
)
from mycloset.images.reading import read_picture
from mycloset.images.writing import (
    WRITE_SUFFIXES,
    check_writable,
    check_writable_file,
    check_writable_folder,
    make_folder,
    write_bytes,
    write_picture,
)

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "READ_FORMATS",
    "RGB",
    "WRITE_SUFFIXES",
    "ImageSource",
    "Picture",
    "check_writable",
    "check_writable_file",
    "check_writable_folder",
    "make_folder",
    "read_picture",
    "write_bytes",
    "write_picture",
]
