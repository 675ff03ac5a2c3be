"""A mapping: how each op of a graph becomes hardware. On disk it is ``mapping.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from hw.fpga.device import Device
from models.ir.files import read_json

MAPPING_VERSION = 1
MAX_SIZE = 1 << 20
"""Most channels or kernel positions that are computed in parallel, and most entries of a queue."""


class Memory(StrEnum):
    """The memory that holds an op's weights.

    Values
        LUT        LUTs
        BRAM       block memory
    """

    LUT = "lut"
    BRAM = "bram"

    @classmethod
    def on(cls, device: Device) -> tuple[Memory, ...]:
        """The kinds that a device has."""
        return (cls.LUT, cls.BRAM) if device.bram else (cls.LUT,)


class Multiplier(StrEnum):
    """What multiplies features by weights.

    Values
        DSP        a DSP block per product
        PACKED     a DSP block for the weights of several output channels
        LUT        adders in LUTs
        TABLE      a table of products in LUTs
    """

    DSP = "dsp"
    PACKED = "packed"
    LUT = "lut"
    TABLE = "table"


class FrameInput(StrEnum):
    """How frames enter the accelerator.

    Values
        TOKENS     as tokens
        MASK       as a bit-mask and packed features
    """

    TOKENS = "tokens"
    MASK = "mask"


class MappingError(ValueError):
    """A mapping that cannot be read; the message names file, op, field and value."""


@dataclass(frozen=True)
class OpMapping:
    """Folding of one op and the kinds of its memory and multipliers: what one cycle computes, and with what.

    Parameters
        pe            output channels computed in parallel
        simd          input channels computed in parallel
        taps          kernel positions computed in parallel
        memory        what holds the weights
        multiplier    what multiplies
        operand       for packed multipliers the bits of the operand that holds the weights, the wider operand of the
                      device's DSP blocks; 0 for the other kinds
    Raises            ValueError: when a field is not valid
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
            if type(value) is not int or not 1 <= value <= MAX_SIZE:
                raise ValueError(f"{name} must be a positive integer of at most {MAX_SIZE}, not {value!r}")
        object.__setattr__(self, "memory", Memory(self.memory))
        object.__setattr__(self, "multiplier", Multiplier(self.multiplier))
        packed = self.multiplier is Multiplier.PACKED
        if type(self.operand) is not int or (self.operand > 0) != packed:
            valid = "the bits of a DSP block's wider operand, such as 27" if packed else "0"
            raise ValueError(f"operand must be {valid} where multiplier is {self.multiplier}, not {self.operand!r}")


@dataclass(frozen=True)
class Mapping:
    """How a whole graph becomes hardware.

    Parameters
        device         name of the device
        clock_mhz      clock, in MHz
        ops            by node name, one per node; of the input node, ``pe`` is the lanes of the input stream
        queues         depth of the queue on an edge in beats, by ``"producer->consumer"``; no queue where absent
        frame_input    how frames enter the accelerator
    Raises             ValueError: when ``frame_input`` is not valid
    """

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
        """The mapping as JSON values, which ``of`` reads."""
        return {"version": MAPPING_VERSION, **asdict(self)}

    def save(self, path: Path) -> None:
        """Write the mapping as a JSON file."""
        path.write_text(json.dumps(self.entry(), indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Mapping:
        """Read a JSON file; MappingError where it is not valid."""
        try:
            entry = read_json(path)
        except (OSError, ValueError) as error:
            raise MappingError(f"{path}: cannot be read as JSON: {error}") from error
        return cls.of(entry, str(path))

    @classmethod
    def of(cls, entry: Any, where: str = "mapping") -> Mapping:
        """Read JSON values; the MappingError for values that are not valid names ``where`` they are from."""
        version = entry.get("version") if isinstance(entry, dict) else None
        if version != MAPPING_VERSION:
            raise MappingError(f"{where}, field 'version': {version!r}; this netweave reads version {MAPPING_VERSION}")
        ops, queues, clock = {}, entry.get("queues", {}), entry.get("clock_mhz")
        for key in ("ops", "queues"):
            if not isinstance(entry.get(key, {}), dict):
                raise MappingError(f"{where}, field {key!r}: {entry[key]!r} must be an object")
        for edge, depth in queues.items():
            if type(depth) is not int or not 0 <= depth <= MAX_SIZE:
                raise MappingError(
                    f"{where}, field 'queues': {edge!r}: {depth!r} must be an integer of 0 to {MAX_SIZE}"
                )
        if isinstance(clock, bool) or not isinstance(clock, int | float) or not 0 < clock <= 2000:
            raise MappingError(f"{where}, field 'clock_mhz': {clock!r} must be above 0 and at most 2000")
        if not isinstance(entry.get("device"), str):
            raise MappingError(f"{where}, field 'device': {entry.get('device')!r} must be a text")
        for name, values in entry.get("ops", {}).items():
            try:
                ops[name] = OpMapping(**values)
            except (TypeError, ValueError) as error:
                raise MappingError(f"{where}, op {name!r}: {error}") from error
        try:
            return cls(
                device=entry["device"],
                clock_mhz=float(clock),
                ops=ops,
                queues=dict(queues),
                frame_input=entry.get("frame_input", FrameInput.TOKENS),
            )
        except ValueError as error:
            raise MappingError(f"{where}: {error}") from error
