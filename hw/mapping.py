"""A mapping: how each op of a graph becomes hardware. ``mapping.json`` is this, on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from hw.device import Device

MAPPING_VERSION = 1


class Memory(StrEnum):
    """What holds an op's weights."""

    LUT = "lut"
    BRAM = "bram"

    @classmethod
    def on(cls, device: Device) -> tuple[Memory, ...]:
        return (cls.LUT, cls.BRAM) if device.bram else (cls.LUT,)


class Multiplier(StrEnum):
    """What multiplies: a DSP block, one for the weights of several output channels, adders in LUTs, or a table of
    products in LUTs.
    """

    DSP = "dsp"
    PACKED = "packed"
    LUT = "lut"
    TABLE = "table"


class FrameInput(StrEnum):
    """How frames come into the accelerator: as tokens, or as a bit-mask and packed features."""

    TOKENS = "tokens"
    MASK = "mask"


class MappingError(ValueError):
    """A mapping that fits no graph; the message names file, op, field and value."""


@dataclass(frozen=True)
class OpMapping:
    """Folding and kinds of one op: what is computed in parallel, and out of what it is made.

    ``pe`` output channels, ``simd`` input channels and ``taps`` kernel offsets are computed in one cycle.
    ``operand``: bits of the operand that a packed multiplier fills with weights, the wider one of the device's DSP
    blocks; 0 for the other kinds.
    """

    pe: int = 1
    simd: int = 1
    taps: int = 1
    memory: Memory = Memory.LUT
    multiplier: Multiplier = Multiplier.LUT
    operand: int = 0

    def __post_init__(self) -> None:
        for name in ("pe", "simd", "taps"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, not {value!r}")
        object.__setattr__(self, "memory", Memory(self.memory))
        object.__setattr__(self, "multiplier", Multiplier(self.multiplier))
        packed = self.multiplier is Multiplier.PACKED
        if not isinstance(self.operand, int) or (self.operand > 0) != packed:
            valid = "the bits of a DSP block's wider operand, such as 27" if packed else "0"
            raise ValueError(f"operand must be {valid} where multiplier is {self.multiplier}, not {self.operand!r}")


@dataclass(frozen=True)
class Mapping:
    """``ops``: by node name. ``queues``: depth of the queue on an edge, ``"producer->consumer"``; none where absent."""

    device: str
    clock_mhz: float
    ops: Dict[str, OpMapping]
    queues: Dict[str, int] = field(default_factory=dict)
    frame_input: FrameInput = FrameInput.TOKENS

    def __post_init__(self) -> None:
        if self.frame_input not in tuple(FrameInput):
            raise ValueError(f"frame_input: {self.frame_input!r} must be one of {', '.join(FrameInput)}")
        object.__setattr__(self, "frame_input", FrameInput(self.frame_input))

    def entry(self) -> dict[str, Any]:
        """JSON values that ``of`` takes."""
        return {"version": MAPPING_VERSION, **asdict(self)}

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.entry(), indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Mapping:
        try:
            entry = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise MappingError(f"{path}: cannot be read as JSON: {error}") from error
        return cls.of(entry, str(path))

    @classmethod
    def of(cls, entry: Any, where: str = "mapping") -> Mapping:
        """Read JSON values; MappingError says ``where`` they are wrong."""
        version = entry.get("version") if isinstance(entry, dict) else None
        if version != MAPPING_VERSION:
            raise MappingError(f"{where}, field 'version': {version!r}; this netweave reads version {MAPPING_VERSION}")
        ops = {}
        for name, values in entry.get("ops", {}).items():
            try:
                ops[name] = OpMapping(**values)
            except (TypeError, ValueError) as error:
                raise MappingError(f"{where}, op {name!r}: {error}") from error
        try:
            return cls(
                device=str(entry["device"]),
                clock_mhz=float(entry["clock_mhz"]),
                ops=ops,
                queues=dict(entry.get("queues", {})),
                frame_input=entry.get("frame_input", FrameInput.TOKENS),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MappingError(f"{where}: missing or bad field: {error}") from error
