"""The codes in a picture, as a camera would read them with software that is not ours."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import zxingcpp
from PIL import Image

if TYPE_CHECKING:
    from zxingcpp import Barcode


def qr_codes(picture: Image.Image | bytes) -> list[Barcode]:
    """Every QR code in it; any other kind that a reader believes to see in its dots is not one of ours."""
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    return list(zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)))


def qr_code(picture: Image.Image | bytes) -> Barcode:
    """The one QR code in it."""
    (found,) = qr_codes(picture)
    return found
