"""Quantization: calibration, quantization-aware training, the exact integer network, sensitivity."""

from models.quant.hessian import hessian_sensitivity
from models.quant.network import QuantizedNetwork
from models.quant.qat import quantize
from models.quant.sensitivity import measure_sensitivity

__all__ = ["QuantizedNetwork", "hessian_sensitivity", "measure_sensitivity", "quantize"]
