"""What products take, in blocks or out of LUTs, and what stands before them: registers and decoders."""

from __future__ import annotations

from hw.codes import FEW_DIGITS, STAGE_ROWS, lut_stages, mantissa_bits, signed_digits, signed_width, table_inputs
from hw.fabric import Family, Part, decoder, dsp_blocks, joined_bits, looked_up, mantissa_decoder, small_product
from hw.mac import Sums
from hw.multipliers import Products
from models.ir.dtype import DType, DyBitType


def operand_bits(products: Products, dtype: DType, *, feature: bool) -> int:
    """Bits of the registers of a feature or a weight before it is multiplied."""
    if products is Products.TABLE:
        return dtype.width
    if products is Products.SHIFTED or (products is Products.CHOSEN and not feature):
        return sum(mantissa_bits(dtype)) + (isinstance(dtype, DyBitType) and dtype.signed)
    return dtype.decoded_width if feature else signed_width(dtype)


def coded(f: Family, products: Products, dtype: DType, *, feature: bool) -> float:
    """LUTs between the code of a feature or a weight and those registers."""
    if products is Products.TABLE:
        return 0.0
    if products is Products.SHIFTED or (products is Products.CHOSEN and not feature):
        return mantissa_decoder(f, dtype)
    return decoder(f, dtype)


def of_luts(f: Family, s: Sums, less: float) -> Part:
    """Products in LUTs, of which ``less`` are left. Terms: those of ``of_blocks``; of chosen ones bits of multiples, of
    what is shifted, products, bits of triple features; of shifted ones bits of rows, of what is shifted by how many
    places, products.
    """
    assert s.weights is not None
    macs = less * s.pe * s.terms
    digits, places = mantissa_bits(s.weights)
    if s.products is Products.TABLE:
        looked = sum(looked_up(f, n) for n in table_inputs(s.features, s.weights))
        return Part("products", (0.0, 0.0, 0.0, 0.0, macs * looked))
    if s.products is Products.CHOSEN:
        wide = signed_width(s.features)
        tripled = s.taps * s.simd * (wide + 1) if digits == FEW_DIGITS else 0
        return Part("chosen", (macs * (wide + digits - 1), macs * s.product_width * (places > 0), macs, tripled))
    if s.products is Products.SHIFTED:
        shorter, longer = sorted((signed_digits(s.weights), signed_digits(s.features)))
        return Part("shifted", (macs * ((shorter + 1) // 2) * longer, macs * s.product_width * places_width(s), macs))
    shorter, longer = sorted((signed_width(s.features), signed_width(s.weights)))
    return Part("products", (macs * ((shorter + 1) // 2 - 1) * longer, macs * longer, macs, 0.0, 0.0))


def of_blocks(f: Family, s: Sums, spans: list[int], less: float) -> Part:
    """Products in DSP blocks, each of a feature and so many bits of weights. Terms of products: for those in LUTs bits
    of rows after the first and of the first, and how many they are; bits of adders that join DSP blocks of a
    product; LUTs of tables.
    """
    feature, blocks, joined, lut = signed_width(s.features), 0, 0, 0.0
    for span in spans:
        found = dsp_blocks(f, span, feature)
        blocks += found
        joined += joined_bits(f, span, feature)
        if not found:
            lut += less * small_product(f, s.features.decoded_width, span)
    return Part("products", (0.0, 0.0, 0.0, s.terms * joined, 0.0), s.terms * lut, dsp=s.terms * blocks)


def waiting_bits(s: Sums, share: float) -> float:
    """Bits of the registers inside the products of all lanes. ``share``: of the bits of weights that differ."""
    assert s.weights is not None
    macs, lanes = s.pe * s.terms, s.taps * s.simd
    if s.products is Products.SHIFTED:
        feature, weight = (signed_digits(dtype) for dtype in (s.features, s.weights))
        stages = lut_stages(feature, weight)
        signs = any(dtype.signed and isinstance(dtype, DyBitType) for dtype in (s.features, s.weights))
        ff = macs * (feature + weight + stages * places_width(s) + (stages - 1) * signs)
    elif s.products is Products.ROWS:
        feature, weight = signed_width(s.features), signed_width(s.weights)
        stages, ff = s.product_stages, 0.0
    else:
        return float(macs * s.carried)
    for stage in range(1, stages):
        # what waits between the rows of a product: its sum so far, the wider operand and the rest of the other
        done = 2 * STAGE_ROWS * stage
        rest = min(feature, weight) - done + 1
        by_feature, by_weight = (feature, rest) if feature >= weight else (rest, weight)
        ff += macs * (max(feature, weight) + done + by_weight * share) + lanes * by_feature
    return ff


def places_width(s: Sums) -> int:
    """Bits of the places by which a product of mantissas is shifted."""
    assert s.weights is not None
    one, other = (mantissa_bits(dtype)[1] for dtype in (s.features, s.weights))
    return max(one, other) + (one > 0 < other)
