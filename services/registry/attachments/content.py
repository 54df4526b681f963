"""What an uploaded file really is, whatever it is called, and how it is kept.

A picture is decoded and made a JPEG anew: what it carried beside the picture (place, camera, time, remarks, another
file behind its end) stays behind. A PDF is kept as it is.
"""

from __future__ import annotations

from io import BytesIO
from typing import ClassVar, Final, NamedTuple

from PIL import Image, ImageOps

from shared.contracts.consent import AttachmentKind, MediaType
from shared.contracts.refusal import Refusal

FILE_LIMIT: Final = 5 * 1024 * 1024
"""Bytes of an upload."""
MOST_PIXELS: Final = 50_000_000
"""Of a picture as it comes: a good phone takes 50 million, and to decode so many takes 150 MB."""
LONGEST_SIDE: Final = 2400
"""Pixels of a picture as it is kept: a page of A4 at 200 dots an inch."""

_QUALITY: Final = 85
_PICTURES: Final = ("JPEG", "PNG", "WEBP")
_TRAILER: Final = 1024
"""Bytes at the end of a PDF within which it says that it ends (ISO 32000-1, annex H)."""


class Content(NamedTuple):
    """The bytes as they are kept."""

    data: bytes
    media_type: MediaType


class FileTypeNotTaken(Refusal):
    """This is no picture (JPEG, PNG, WebP) and no PDF, whatever its name says."""

    status: ClassVar[int] = 415
    what_to_do: ClassVar[str] = "Take a photo of it, or save it as PDF."


class PhotoIsNoPicture(Refusal):
    """A photo is a picture; this is a PDF."""

    status: ClassVar[int] = 415
    what_to_do: ClassVar[str] = "Upload the picture itself, or choose another kind for the PDF."


class FileBroken(Refusal):
    """The file ends too early or can not be read."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Open it on your device; if it shows there, save or photograph it anew and upload that."


class PictureTooLarge(Refusal):
    """The picture has more than 50 million pixels."""

    status: ClassVar[int] = 413
    what_to_do: ClassVar[str] = "Make it smaller, or photograph it anew."


def cleaned(data: bytes, kind: AttachmentKind) -> Content:
    """The file as it is kept; takes a second for a large picture.

    Raises FileTypeNotTaken, PhotoIsNoPicture, FileBroken, PictureTooLarge.
    """
    if data.startswith(b"%PDF-"):
        if kind is AttachmentKind.PHOTO:
            raise PhotoIsNoPicture
        if b"%%EOF" not in data[-_TRAILER:]:
            raise FileBroken
        return Content(data, MediaType.PDF)
    return Content(_picture(data), MediaType.JPEG)


def _picture(data: bytes) -> bytes:
    try:
        image = Image.open(BytesIO(data), formats=_PICTURES)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge from None
    except Exception:  # what a decoder raises over hostile bytes is not one family
        raise FileTypeNotTaken from None
    if image.width * image.height > MOST_PIXELS:
        raise PictureTooLarge
    try:
        return _anew(image)
    except Exception:
        raise FileBroken from None


def _anew(image: Image.Image) -> bytes:
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded no larger than it is kept
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    page = Image.new("RGB", upright.size, "white")  # a fresh one: nothing is taken over but what is seen
    seen = upright.convert("RGBA")
    page.paste(seen, mask=seen)
    kept = BytesIO()
    page.save(kept, "JPEG", quality=_QUALITY, optimize=True)
    return kept.getvalue()
