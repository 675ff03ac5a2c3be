"""Driver of a netweave accelerator behind a DMA engine, for PYNQ; numpy is all it needs.

It lies in the design's folder beside ``manifest.json``, which describes the design::

    overlay = pynq.Overlay("netweave.bit")
    net = Accelerator(overlay.axi_dma_0, overlay.netweave_axi_0.mmio)
    answer = net.run(image)         # image: integers [height, width, channels]

``dma`` has ``sendchannel`` and ``recvchannel``, each with ``transfer(buffer)``, ``idle`` and ``error``; ``mmio`` has
``read(offset)`` and ``write(offset, value)``. Any objects that behave so can be used.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class NetweaveError(RuntimeError):
    """The accelerator is not the expected one, refused a frame, or did not answer in time."""


class Answer(NamedTuple):
    """The network's answer to one frame.

    Parameters
        values    integers ``[height, width, channels]``, 0 at sites that are not active
        mask      bool ``[height, width]``, True at active sites
    """

    values: np.ndarray
    mask: np.ndarray


class Stream:
    """Converts frames to bytes and back.

    Parameters
        entry    ``axi.input`` or ``axi.output`` of the manifest
    """

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.form, self.lanes, self.bytes = entry["form"], entry["lanes"], entry["bytes"]
        self.height, self.width, self.channels = entry["shape"]
        self.dtype, self.fields, self.values = entry["dtype"], entry["fields"], entry["values"]
        self.code_bits = self.fields["features"][1] // self.lanes
        self.most_bytes = entry["most_beats"] * self.bytes

    def encode(self, values: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """The bytes of one frame.

        Parameters
            values    integers ``[height, width, channels]``
            mask      bool ``[height, width]``, the active sites; None: the sites with a value other than 0, or all
                      sites for a network that takes every site
        Returns       uint8 ``[bytes]``
        Raises        ValueError: the frame does not fit the network
        """
        values = np.asarray(values)
        shape = (self.height, self.width, self.channels)
        if values.shape != shape:
            raise ValueError(f"a frame has shape {shape}, not {values.shape}")
        active = self._active(values, mask)
        features = self._bits(self._codes(values[active]), self.code_bits).reshape(-1, self.lanes * self.code_bits)
        beats = np.zeros((len(features), 8 * self.bytes), np.uint8)
        first, bits = self.fields["features"]
        beats[:, first : first + bits] = features
        if self.form == "tokens":
            repeats = self.channels // self.lanes
            for name, places in zip(("y", "x"), np.nonzero(active), strict=True):
                first, bits = self.fields[name]
                beats[:, first : first + bits] = self._bits(np.repeat(places, repeats), bits)
            end = np.zeros((1, 8 * self.bytes), np.uint8)
            end[0, self.fields["end"][0]] = 1
            beats = np.concatenate([beats, end])
        elif self.form == "mask":
            bits = self.fields["mask"][1]
            words = np.zeros((-(-active.size // bits), 8 * self.bytes), np.uint8)
            padded = np.zeros(len(words) * bits, np.uint8)
            padded[: active.size] = active.ravel()
            words[:, :bits] = padded.reshape(-1, bits)
            beats = np.concatenate([words, beats])
        return np.packbits(beats, axis=1, bitorder="little").ravel()

    def decode(self, data: np.ndarray) -> Answer:
        """The frame at the start of ``data``.

        Parameters
            data    uint8 ``[bytes]``; what follows the frame is ignored
        Raises      NetweaveError: an answer of tokens without an ``end``
        """
        length = len(data) // self.bytes * self.bytes
        beats = np.unpackbits(np.asarray(data[:length], np.uint8).reshape(-1, self.bytes), axis=1, bitorder="little")
        if self.form == "tokens":
            ends = np.flatnonzero(beats[:, self.fields["end"][0]])
            if not len(ends):
                raise NetweaveError(f"the answer has no end within {len(beats)} beats")
            beats = beats[: ends[0]]
            y, x = (self._field(beats, name)[:: self.channels // self.lanes] for name in ("y", "x"))
        else:
            y, x = (places.ravel() for places in np.indices((self.height, self.width)))
            beats = beats[: len(y) * self.channels // self.lanes]
        first, bits = self.fields["features"]
        codes = beats[:, first : first + bits].reshape(-1, self.channels, self.code_bits)
        values = np.zeros((self.height, self.width, self.channels), np.int64)
        mask = np.zeros((self.height, self.width), bool)
        values[y, x], mask[y, x] = self._values(codes), True
        return Answer(values, mask)

    def _active(self, values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        """Which sites are sent."""
        if self.form == "pixels":
            if mask is not None and not np.all(mask):
                raise ValueError("this network takes every site of a frame; there is no mask to give")
            return np.ones((self.height, self.width), bool)
        if mask is None:
            return (values != 0).any(-1)
        active = np.asarray(mask, bool)
        if active.shape != (self.height, self.width):
            raise ValueError(f"a mask has shape {(self.height, self.width)}, not {active.shape}")
        return active

    def _field(self, beats: np.ndarray, name: str) -> np.ndarray:
        first, bits = self.fields[name]
        return beats[:, first : first + bits].astype(np.int64) @ (1 << np.arange(bits))

    @staticmethod
    def _bits(numbers: np.ndarray, bits: int) -> np.ndarray:
        return (numbers[..., None] >> np.arange(bits) & 1).astype(np.uint8)

    def _codes(self, values: np.ndarray) -> np.ndarray:
        """Codes of values, which must be some of the format's."""
        if self.values is None:
            low, high = (-(1 << self.code_bits - 1), (1 << self.code_bits - 1) - 1)
            if self.dtype.startswith("u"):
                low, high = 0, (1 << self.code_bits) - 1
            invalid = values[(values < low) | (values > high)]
            codes = values.astype(np.int64)
        else:
            table = np.array(self.values)
            order = np.argsort(table, kind="stable")
            place = np.searchsorted(table[order], values).clip(0, len(table) - 1)
            invalid = values[table[order][place] != values]
            codes = order[place]
        if invalid.size:
            raise ValueError(f"{invalid.flat[0]} is no value of {self.dtype}")
        return codes

    def _values(self, bits: np.ndarray) -> np.ndarray:
        weights = 1 << np.arange(self.code_bits, dtype=np.int64)
        if self.values is not None:
            return np.array(self.values)[bits @ weights]
        if not self.dtype.startswith("u"):
            weights[-1] = -weights[-1]
        return bits.astype(np.int64) @ weights


class Accelerator:
    """One accelerator behind a DMA engine.

    Parameters
        dma         the DMA engine: ``sendchannel`` and ``recvchannel``
        mmio        the registers: ``read(offset)`` and ``write(offset, value)``, 32 bits each
        manifest    path of the design's ``manifest.json``
        allocate    makes a buffer of a number of bytes that the DMA engine can reach; None: ``pynq.allocate``
    Raises          NetweaveError: the registers at ``mmio`` are not those of the manifest's design
    """

    def __init__(
        self,
        dma: Any,
        mmio: Any,
        manifest: Path | str = Path(__file__).with_name("manifest.json"),
        allocate: Callable[[int], Any] | None = None,
    ) -> None:
        document = json.loads(Path(manifest).read_text(encoding="utf-8"))
        self.axi = document["axi"]
        self.dma, self.mmio = dma, mmio
        self.input, self.output = Stream(self.axi["input"]), Stream(self.axi["output"])
        self._check(document["name"])
        allocate = allocate or _pynq_buffer
        self._send_buffer, self._receive_buffer = allocate(self.input.most_bytes), allocate(self.output.most_bytes)
        self._receiving = False

    def run(self, values: np.ndarray, mask: np.ndarray | None = None, timeout: float = 1.0) -> Answer:
        """The network's answer to one frame.

        Parameters
            values     the frame, as for ``Stream.encode``
            mask       its active sites, as for ``Stream.encode``
            timeout    how long to wait for the answer, in seconds
        Raises         NetweaveError: the frame was refused, the DMA engine failed, or no answer came in time, with the
                       status and the counters; ValueError: the frame does not fit the network
        """
        return self.run_bytes(self.input.encode(values, mask), timeout)

    def run_bytes(self, data: np.ndarray, timeout: float = 1.0) -> Answer:
        """The answer to a frame that is already encoded: uint8 ``[bytes]``."""
        before = self.errors()
        self._start_receiving()
        self._send_buffer[: len(data)] = data
        self.dma.sendchannel.transfer(self._send_buffer[: len(data)])
        stop = time.monotonic() + timeout
        while not (self.dma.recvchannel.idle and self.dma.sendchannel.idle):
            for name, channel in (("send", self.dma.sendchannel), ("receive", self.dma.recvchannel)):
                if getattr(channel, "error", False):
                    raise NetweaveError(f"the DMA engine's {name} channel reports an error")
            new = {name: count - before[name] for name, count in self.errors().items() if count != before[name]}
            if new:
                reasons = "; ".join(f"{name}: {self.axi['errors'][name]}" for name in new)
                raise NetweaveError(f"the frame was refused: {reasons}")
            if time.monotonic() > stop:
                state = f"status {self.status()}, counters {self.counters()}"
                raise NetweaveError(f"no answer within {timeout} s; {state}")
        self._receiving = False
        return self.output.decode(np.array(self._receive_buffer))

    def reset(self, timeout: float = 1.0) -> None:
        """Drop every frame inside and set the counters to 0; an answer that was leaving is received and discarded."""
        self._write("control", self.axi["control"]["soft_reset"])
        stop = time.monotonic() + timeout
        while any(self.status().values()):
            if self._receiving and self.dma.recvchannel.idle:
                self._receiving = False
            if self.status()["waiting"]:
                self._start_receiving()
            if time.monotonic() > stop:
                raise NetweaveError(f"still busy {timeout} s after a reset: {self.status()}")
        if self._receiving and self.dma.recvchannel.idle:
            self._receiving = False

    def clear(self) -> None:
        """Set the counters to 0."""
        self._write("control", self.axi["control"]["clear"])

    def status(self) -> dict[str, bool]:
        """The bits of STATUS by name."""
        word = self._read("status")
        return {name: bool(word & bit) for name, bit in self.axi["status"].items()}

    def errors(self) -> dict[str, int]:
        """The number of bad frames by kind."""
        return {name: self._read(f"error_{name}") for name in self.axi["errors"]}

    def counters(self) -> dict[str, int]:
        """Frames in, out and bad, cycles of the last frame, and cycles the accelerator was busy."""
        names = ("frames_in", "frames_out", "frames_bad", "last_cycles")
        offset = self.axi["registers"]["busy_cycles"]
        busy = self.mmio.read(offset) | self.mmio.read(offset + 4) << 32
        return {**{name: self._read(name) for name in names}, "busy_cycles": busy}

    def _start_receiving(self) -> None:
        """Start a receive transfer, unless one still waits since an earlier frame that got no answer."""
        if not self._receiving:
            self.dma.recvchannel.transfer(self._receive_buffer)
            self._receiving = True

    def _check(self, name: str) -> None:
        for register, expected in self.axi["constants"].items():
            actual = self._read(register)
            if actual != expected:
                raise NetweaveError(f"no {name} of this manifest here: {register} is {actual:#x}, not {expected:#x}")

    def _read(self, name: str) -> int:
        return self.mmio.read(self.axi["registers"][name])

    def _write(self, name: str, value: int) -> None:
        self.mmio.write(self.axi["registers"][name], value)


def _pynq_buffer(size: int) -> Any:
    # pynq is installed on boards only
    return importlib.import_module("pynq").allocate(size, dtype=np.uint8)
