"""Cosimulation of a design folder: its Verilog against its graph, and the file ``cosim.json``."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cosim.rtl.check import Check, Mismatch, check
from cosim.rtl.layers import LayerRun, run_layers
from cosim.rtl.run import RtlRun, simulate
from cosim.rtl.testbench_runner import FRAME_LIMIT, Stalls
from cosim.rtl.trace import StreamTrace
from hw.fpga.mapping import Mapping as HardwareMapping
from hw.generate.emit import MAPPING_FILE, PROBES_FILE, VERILOG_FILE
from hw.streams.manifest import MANIFEST_FILE, DesignError, Manifest, load_manifest
from models.ir import serialize
from models.ir.files import read_json
from models.ir.frame import Frame

FORMAT = "netweave cosim"
VERSION = 1
LABEL = "rtl"
LAYER_FRAMES = 4
"""Frames to play into each layer on its own."""


class CosimFileError(ValueError):
    """A cosim.json that cannot be read; the message names file, field and value."""


@dataclass(frozen=True)
class Timing:
    """When each frame passed a stream.

    Parameters
        beats    beats of all frames
        first    the cycle of each frame's first beat
        end      the cycle of each frame's last beat
    """

    beats: int
    first: tuple[int, ...]
    end: tuple[int, ...]


@dataclass(frozen=True)
class Cosim:
    """What the RTL of one design did with some frames. All cycles are of kind ``rtl``.

    Parameters
        name             name of the design
        device           its device
        verilog          SHA-256 of the Verilog file that ran
        simulator        name of the simulator
        stalls           stalls of source and sink
        check            comparison with golden
        cycles           cycles of the run
        latency          cycles of each frame from its first beat in to its last token out, the wait for earlier frames
                         included
        intervals        cycles between the ends of consecutive frames out
        streams          timing of each stream, by port prefix
        layers           each layer run on its own, by node name; empty where that was not asked for
        build_seconds    time to build the simulation
        wall_seconds     time of the simulation
        label            kind of the cycles
    """

    name: str
    device: str
    verilog: str
    simulator: str
    stalls: Stalls
    check: Check
    cycles: int
    latency: tuple[int, ...]
    intervals: tuple[int, ...]
    streams: Mapping[str, Timing]
    layers: Mapping[str, LayerRun]
    build_seconds: float
    wall_seconds: float
    label: str = LABEL

    @property
    def equal(self) -> bool:
        """Whether every integer that was compared, in the design and in the layers, is golden's."""
        return self.check.equal and not any(layer.mismatch for layer in self.layers.values())

    @property
    def first_latency(self) -> int:
        """Latency of the first frame, which enters an idle accelerator."""
        return self.latency[0]

    @property
    def interval(self) -> float | None:
        """Cycles a frame when frames follow each other, the median of the intervals; None for a single frame."""
        return statistics.median(self.intervals) if self.intervals else None

    @property
    def cycles_per_second(self) -> float:
        """Speed of the simulation."""
        return self.cycles / self.wall_seconds

    def save(self, path: Path) -> None:
        """Write the file, replacing an old one in one step."""
        document = {"format": FORMAT, "version": VERSION, **asdict(self)}
        part = path.with_name(f".{path.name}.part")
        part.write_text(json.dumps(document, indent=1) + "\n")
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Cosim:
        """Read a file that ``save`` wrote; CosimFileError where it is none."""
        try:
            document = read_json(path)
        except FileNotFoundError:
            raise CosimFileError(f"{path}: does not exist; it is made by `netweave cosim`") from None
        except (OSError, ValueError) as error:
            raise CosimFileError(f"{path}: is no readable JSON: {error}") from error
        if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
            raise CosimFileError(f"{path}, field 'format': must be {FORMAT!r}")
        version = document.pop("version", None)
        if version != VERSION:
            raise CosimFileError(f"{path}, field 'version': {version!r}; this netweave reads version {VERSION}")
        try:
            outcome = document.pop("check")
            mismatches = tuple(_read_mismatch(entry) for entry in outcome.pop("mismatches"))
            return cls(
                check=Check(**{**outcome, "streams": tuple(outcome["streams"])}, mismatches=mismatches),
                stalls=Stalls(**document.pop("stalls")),
                latency=tuple(document.pop("latency")),
                intervals=tuple(document.pop("intervals")),
                streams={
                    prefix: Timing(entry["beats"], tuple(entry["first"]), tuple(entry["end"]))
                    for prefix, entry in document.pop("streams").items()
                },
                layers={
                    name: LayerRun(tuple(entry["intervals"]), entry["mismatch"] and _read_mismatch(entry["mismatch"]))
                    for name, entry in document.pop("layers").items()
                },
                **document,
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise CosimFileError(f"{path}: a field is missing, unknown or of the wrong kind: {error!r}") from error


def cosim(
    design: Path,
    frames: Sequence[Frame],
    *,
    simulator: str = "verilator",
    probes: bool = False,
    layers: bool = False,
    stalls: Stalls | None = None,
    waveform: Path | None = None,
    build_dir: Path | None = None,
    frame_limit: int = FRAME_LIMIT,
    progress: Callable[[str], None] = lambda _: None,
) -> Cosim:
    """Play frames through the Verilog of a design folder and compare with golden. A mismatch is a result, not an error.

    Parameters
        design         folder of the design
        frames         the frames, at least one
        simulator      ``verilator`` or ``icarus``
        probes         compare every edge of the graph and not only the output; the design must be generated with probes
        layers         also run each layer on its own, which gives its cycles a frame
        stalls         stalls of source and sink; None: neither ever waits
        waveform       .vcd or .fst file to write; None: none
        build_dir      folder for simulator builds, which later calls use again; None: ``default_build_dir()``
        frame_limit    cycles without a frame out after which the design counts as hung
        progress       called with what happens next
    Raises             DesignError: a folder that is no such design; SimulationError, SimulationTimeout: as for
                       ``simulate``
    """
    if not frames:
        raise ValueError("frames: there must be at least one")
    stalls = stalls or Stalls()
    manifest = load_manifest(design)
    if probes and not manifest.probes:
        raise DesignError(f"{design / MANIFEST_FILE}, field 'probes': is empty; generate the design with probes")
    graph = serialize.load(design)
    ends = {"input": (manifest.input, graph.input), "output": (manifest.output, graph[graph.output])}
    for field, (layout, node) in ends.items():
        actual, expected = (layout.shape, layout.dtype), (graph.shapes[node.name], node.dtype)
        if actual != expected:
            stated, valid = (f"{shape} of {dtype}" for shape, dtype in (actual, expected))
            raise DesignError(f"{design / MANIFEST_FILE}, field {field!r}: {stated} must be {valid}, the network's")
    verilog = design / (PROBES_FILE if probes else VERILOG_FILE)
    digest = _checked_digest(manifest, verilog)
    edges = {probe.prefix: probe for probe in manifest.probes} if probes else {}
    builds = build_dir or default_build_dir()
    run = simulate(
        verilog,
        manifest.input,
        manifest.output,
        frames,
        simulator=simulator,
        stalls=stalls,
        probes={prefix: probe.layout for prefix, probe in edges.items()},
        waveform=waveform,
        build_dir=builds,
        frame_limit=frame_limit,
        progress=progress,
    )
    progress(f"comparing {len(edges) + 1} streams with golden")
    keys = {prefix: (probe.producer, probe.consumer, probe.index) for prefix, probe in edges.items()}
    outcome = check(graph, frames, run, keys)
    alone: dict[str, LayerRun] = {}
    if layers:
        # the cycles of a sparse layer depend on the frame, so the first frame is played again and again
        few = list(itertools.islice(itertools.cycle(frames[:1] if graph.input.sparse else frames), LAYER_FRAMES))
        mapping = HardwareMapping.load(design / MAPPING_FILE)
        alone = run_layers(graph, mapping, few, simulator=simulator, build_dir=builds, progress=progress)
    return _result(manifest, digest, stalls, outcome, run, alone)


def default_build_dir() -> Path:
    """``netweave/simulators`` in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "netweave" / "simulators"


def _checked_digest(manifest: Manifest, verilog: Path) -> str:
    try:
        digest = hashlib.sha256(verilog.read_bytes()).hexdigest()
    except OSError as error:
        raise DesignError(f"{verilog}: cannot be read: {error}") from error
    expected = manifest.sha256.get(verilog.name)
    if expected != digest:
        raise DesignError(f"{verilog}: its SHA-256 is {digest}, the manifest's {expected}; generate the design again")
    return digest


def _result(
    manifest: Manifest, digest: str, stalls: Stalls, outcome: Check, run: RtlRun, layers: Mapping[str, LayerRun]
) -> Cosim:
    return Cosim(
        name=manifest.name,
        device=manifest.device,
        verilog=digest,
        simulator=run.simulator.value,
        stalls=stalls,
        check=outcome,
        cycles=run.cycles,
        latency=tuple(run.latency),
        intervals=tuple(run.intervals),
        streams={prefix: _timing(beats) for prefix, beats in {"i": run.input, **run.edges, "o": run.output}.items()},
        layers=layers,
        build_seconds=run.build_seconds,
        wall_seconds=run.wall_seconds,
    )


def _timing(beats: StreamTrace) -> Timing:
    return Timing(len(beats.payloads), tuple(beats.first_cycles), tuple(beats.end_cycles))


def _read_mismatch(entry: dict) -> Mismatch:
    return Mismatch(**{**entry, "site": tuple(entry["site"]) if entry["site"] is not None else None})
