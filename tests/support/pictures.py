"""Generated pictures and papers as phones send them, with a place in them that must not stay."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
REMARK = "测摄于某村"
MAKER = "Canary-Phone"


def a_picture(form: str = "JPEG", size: tuple[int, int] = (64, 48), colour: str = "navy") -> bytes:
    """With a maker, a place (GPS) and a remark in it, and standing on its side."""
    exif = Image.Exif()
    exif[0x010F] = MAKER
    exif[0x0112] = 6  # turned to the right
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (27.0, 42.0, 13.0)
    more = {"comment": REMARK.encode()} if form == "JPEG" else {}
    data = BytesIO()
    Image.new("RGB", size, colour).save(data, form, exif=exif, **more)
    return data.getvalue()


def a_bomb(side: int = 30_000) -> bytes:
    """A PNG of some bytes that says it is a picture of 900 million pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
