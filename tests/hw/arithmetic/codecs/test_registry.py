"""The list of codecs has the circuits of every number format."""

from __future__ import annotations

from hw.arithmetic.codecs.dybit import DyBitCodec
from hw.arithmetic.codecs.registry import CODECS, codec
from models.ir.formats.dybit import DyBitType
from models.ir.formats.registry import FORMATS, parse_dtype


def test_every_format_has_a_codec() -> None:
    assert set(CODECS) == set(FORMATS.values())


def test_a_codec_belongs_to_one_format() -> None:
    """Names that mean the same format share a codec, and no other does."""
    formats = [kind(width, signed) for kind in FORMATS.values() for width in kind.widths for signed in (False, True)]
    assert [codec(dtype).dtype for dtype in formats] == formats
    assert len({id(codec(dtype)) for dtype in formats}) == len(formats)
    assert codec(parse_dtype("udybit4")) is codec(DyBitType(4, signed=False))
    assert type(codec(DyBitType(4))) is DyBitCodec
