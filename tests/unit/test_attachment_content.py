"""What an upload really is, and how it is kept: nothing stays in a picture but what is seen."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from PIL import Image

from services.registry.attachments.content import (
    LONGEST_SIDE,
    FileBroken,
    FileTypeNotTaken,
    PhotoIsNoPicture,
    PictureTooLarge,
    cleaned,
)
from shared.contracts.consent import AttachmentKind, MediaType
from tests.support.pictures import MAKER, PDF, REMARK, a_bomb, a_picture

PHOTO, OTHER = AttachmentKind.PHOTO, AttachmentKind.OTHER


def a_zip() -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("photo.jpg", b"no picture")
    return data.getvalue()


def seen(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_kept_upright_as_jpeg_and_without_what_the_phone_wrote_into_it(form: str):
    sent = a_picture(form)
    assert MAKER.encode() in sent
    content = cleaned(sent, PHOTO)
    picture = seen(content.data)
    assert (content.media_type, picture.format, picture.size) == (MediaType.JPEG, "JPEG", (48, 64))
    assert not picture.getexif()
    assert "comment" not in picture.info
    for hidden in (MAKER.encode(), REMARK.encode(), b"Exif", b"GPS"):
        assert hidden not in content.data


def test_what_stands_behind_the_end_of_a_picture_is_not_kept():
    assert b"no picture" not in cleaned(a_picture() + a_zip(), PHOTO).data


def test_the_same_picture_is_kept_as_the_same_bytes():
    assert cleaned(a_picture(), PHOTO) == cleaned(a_picture(), PHOTO)


def test_a_large_picture_is_kept_as_large_as_a_page_needs():
    assert max(seen(cleaned(a_picture(size=(4000, 3000)), PHOTO).data).size) == LONGEST_SIDE


def test_what_can_be_seen_through_becomes_white():
    data = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(data, "PNG")
    assert seen(cleaned(data.getvalue(), PHOTO).data).getpixel((4, 4)) == (255, 255, 255)


def test_a_pdf_is_kept_as_it_is_and_is_no_photo():
    assert cleaned(PDF, OTHER) == (PDF, MediaType.PDF)
    with pytest.raises(PhotoIsNoPicture):
        cleaned(PDF, PHOTO)


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 64, b"GIF89a" + bytes(64), a_zip(), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"MZ\x90"]
)
def test_what_is_neither_picture_nor_pdf_is_refused_whatever_its_name(data: bytes):
    with pytest.raises(FileTypeNotTaken):
        cleaned(data, OTHER)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_ends_too_early_is_broken(form: str):
    whole = a_picture(form, size=(400, 300))
    with pytest.raises((FileBroken, FileTypeNotTaken)):
        cleaned(whole[: len(whole) // 2], PHOTO)


def test_a_pdf_that_ends_too_early_is_broken():
    with pytest.raises(FileBroken):
        cleaned(PDF[:-6], OTHER)


@pytest.mark.parametrize("side", [7_100, 10_000, 30_000, 65_000])
def test_a_picture_that_says_it_is_huge_is_not_decoded(side: int):
    with pytest.raises(PictureTooLarge):
        cleaned(a_bomb(side), PHOTO)
