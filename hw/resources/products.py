"""What products take, in blocks or out of LUTs, and what stands before them: registers and decoders."""

from __future__ import annotations

from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import Products
from hw.arithmetic.products import FEW_DIGITS, STAGE_ROWS, lut_stages, table_inputs
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, dsp_blocks, joined_bits, small_product, table_product
from models.ir.dtype import DType


def operand_bits(products: Products, dtype: DType, *, feature: bool) -> int:
    """Bits of the registers of a feature or a weight before it is multiplied.

    Parameters
        products   how products are made
        dtype      format of the feature or the weight
        feature    whether it is a feature
    """
    if products is Products.LOOKUP_TABLE:
        return dtype.width
    if products is Products.SIGNIFICAND_SHIFT or (products is Products.MULTIPLEXED and not feature):
        return sum(codec(dtype).significand_bits) + (dtype.tapered and dtype.signed)
    return dtype.decoded_width if feature else signed_width(dtype)


def coded(f: FpgaFamily, products: Products, dtype: DType, *, feature: bool) -> float:
    """LUTs between the code of a feature or a weight and the registers of ``operand_bits``.

    Parameters
        f          the device's family
        products   how products are made
        dtype      format of the feature or the weight
        feature    whether it is a feature
    """
    if products is Products.LOOKUP_TABLE:
        return 0.0
    if products is Products.SIGNIFICAND_SHIFT or (products is Products.MULTIPLEXED and not feature):
        return codec(dtype).significand_luts(f.lut_inputs)
    return codec(dtype).decoder_luts(f.lut_inputs)


def of_luts(f: FpgaFamily, s: MacArraySpec, less: float) -> ResourceEstimate:
    """Products in LUTs.

    Terms of products: those of ``of_blocks``; of chosen products: bits of multiples, bits that are shifted, products,
    bits of triple features; of shifted products: bits of rows, bits that are shifted times bits of the number of
    places, products.

    Parameters
        f          the device's family
        s          the array of sums
        less       the fraction of the products that Yosys leaves
    """
    assert s.weights is not None
    macs = less * s.pe * s.terms
    digits, places = codec(s.weights).significand_bits
    if s.products is Products.LOOKUP_TABLE:
        looked = sum(table_product(f, n) for n in table_inputs(s.features, s.weights))
        return ResourceEstimate("products", (0.0, 0.0, 0.0, 0.0, macs * looked))
    if s.products is Products.MULTIPLEXED:
        wide = signed_width(s.features)
        tripled = s.taps * s.simd * (wide + 1) if digits == FEW_DIGITS else 0
        return ResourceEstimate(
            "chosen", (macs * (wide + digits - 1), macs * s.product_width * (places > 0), macs, tripled)
        )
    if s.products is Products.SIGNIFICAND_SHIFT:
        shorter, longer = sorted((codec(s.weights).signed_digits, codec(s.features).signed_digits))
        return ResourceEstimate(
            "shifted", (macs * ((shorter + 1) // 2) * longer, macs * s.product_width * places_width(s), macs)
        )
    shorter, longer = sorted((signed_width(s.features), signed_width(s.weights)))
    return ResourceEstimate("products", (macs * ((shorter + 1) // 2 - 1) * longer, macs * longer, macs, 0.0, 0.0))


def of_blocks(f: FpgaFamily, s: MacArraySpec, spans: list[int], less: float) -> ResourceEstimate:
    """Products in DSP blocks.

    Terms: of products in LUTs the bits of rows after the first, the bits of the first row and their number; bits of
    adders that join the DSP blocks of a product; LUTs of tables.

    Parameters
        f          the device's family
        s          the array of sums
        spans      bits of the weights that each multiplication of a term takes
        less       the fraction that Yosys leaves of a product too small for a DSP block
    """
    feature, blocks, joined, lut = signed_width(s.features), 0, 0, 0.0
    for span in spans:
        found = dsp_blocks(f, span, feature)
        blocks += found
        joined += joined_bits(f, span, feature)
        if not found:
            lut += less * small_product(f, s.features.decoded_width, span)
    return ResourceEstimate("products", (0.0, 0.0, 0.0, s.terms * joined, 0.0), s.terms * lut, dsp=s.terms * blocks)


def waiting_bits(s: MacArraySpec, share: float) -> float:
    """Bits of the registers inside the products of all lanes.

    Parameters
        s          the array of sums
        share      the fraction of a weight's bits that are neither constant nor copies of others
    """
    assert s.weights is not None
    macs, lanes = s.pe * s.terms, s.taps * s.simd
    if s.products is Products.SIGNIFICAND_SHIFT:
        feature, weight = (codec(dtype).signed_digits for dtype in (s.features, s.weights))
        stages = lut_stages(feature, weight)
        signs = any(dtype.signed and dtype.tapered for dtype in (s.features, s.weights))
        ff = macs * (feature + weight + stages * places_width(s) + (stages - 1) * signs)
    elif s.products is Products.BOOTH:
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


def places_width(s: MacArraySpec) -> int:
    """Bits of the number of places by which a product of mantissas is shifted.

    Parameters
        s          the array of sums
    """
    assert s.weights is not None
    one, other = (codec(dtype).significand_bits[1] for dtype in (s.features, s.weights))
    return max(one, other) + (one > 0 < other)
