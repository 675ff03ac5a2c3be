"""``manifest.json``: what a generated design is, its ports, and the inputs and tools it was made with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hw.streams.layout import InputLayout, MaskLayout, TokenLayout
from models.ir.files import read_json
from models.ir.formats.registry import parse_dtype
from models.ir.node import Shape

FORMAT = "netweave design"
VERSION = 2
MANIFEST_FILE = "manifest.json"


class DesignError(ValueError):
    """A design folder that cannot be read or written; the message names file, field and value."""


@dataclass(frozen=True)
class Slice:
    """Where a field lies in a payload.

    Parameters
        offset     lowest bit
        width      bits
    """

    offset: int
    width: int


@dataclass(frozen=True)
class Port:
    """A port of the top module.

    Parameters
        name         name in the Verilog
        direction    ``input`` or ``output``
        width        bits
        fields       fields of a payload by name; empty for ports that are no payload
    """

    name: str
    direction: str
    width: int
    fields: Mapping[str, Slice]


@dataclass(frozen=True)
class Probe:
    """The outputs that show one edge of the graph: ``<prefix>__payload``, ``<prefix>__valid`` and ``<prefix>__ready``.

    Parameters
        producer   name of the node that writes the edge
        consumer   name of the node that reads it
        index      which input of ``consumer`` it is, from 0
        layout     layout of the edge's beats
    """

    producer: str
    consumer: str
    index: int
    layout: TokenLayout

    @property
    def prefix(self) -> str:
        """What the names of its outputs start with."""
        return probe_prefix(self.producer, self.consumer, self.index)


def probe_prefix(producer: str, consumer: str, index: int) -> str:
    """The name of an edge in the Verilog.

    Parameters
        producer   name of the node that writes the edge
        consumer   name of the node that reads it
        index      which input of ``consumer`` it is, from 0
    """
    return f"edge_{producer}__{consumer}_{index}"


@dataclass(frozen=True)
class Manifest:
    """One generated design.

    Parameters
        name         name of the graph
        top          top module
        device       name of the device
        clock_mhz    clock the design is made for, in MHz
        sha256       hash of each file of the graph, the mapping and the Verilog, by file name
        input        layout of the stream ``i``; in the file, a layout with ``bits`` is one of masks
        output       layout of the stream ``o``
        ports        ports of the top module
        probes       edges that the Verilog with probes shows; empty for a design without probes
        tools        version of each tool, by name
        axi          registers and streams of the module ``netweave_axi``, as ``hw.interface.registers`` writes them
    """

    name: str
    top: str
    device: str
    clock_mhz: float
    sha256: Mapping[str, str]
    input: InputLayout
    output: TokenLayout
    ports: tuple[Port, ...]
    probes: tuple[Probe, ...]
    tools: Mapping[str, str]
    axi: Mapping[str, Any]

    def save(self, folder: Path) -> None:
        """Write ``manifest.json`` into ``folder``."""
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        for field in fields(self):
            document[field.name] = _plain(getattr(self, field.name))
        (folder / MANIFEST_FILE).write_text(json.dumps(document, indent=2) + "\n")


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a design.

    Parameters
        folder     folder of the design
    Raises         DesignError: when the file cannot be read, or a field is missing, unknown or not valid
    """
    path = folder / MANIFEST_FILE
    try:
        document = read_json(path)
    except FileNotFoundError:
        raise DesignError(f"{path}: does not exist; a design is made by `netweave generate`") from None
    except (OSError, ValueError) as error:
        raise DesignError(f"{path}: is no readable JSON: {error}") from error
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise DesignError(f"{path}, field 'format': must be {FORMAT!r}")
    version = document.pop("version", None)
    if version != VERSION:
        raise DesignError(f"{path}, field 'version': {version!r}; this netweave reads version {VERSION}")
    names = [field.name for field in fields(Manifest)]
    for name in sorted(set(names) ^ set(document)):
        problem = "is missing" if name in names else "is unknown"
        raise DesignError(f"{path}, field {name!r}: {problem}; a manifest has {', '.join(names)}")
    for name, kind in (("name", str), ("top", str), ("device", str), ("sha256", dict), ("tools", dict), ("axi", dict)):
        if not isinstance(document[name], kind):
            what = "a text" if kind is str else "an object"
            raise DesignError(f"{path}, field {name!r}: {document[name]!r} must be {what}")
    parsers = {"input": _input_layout, "output": _layout, "ports": _ports, "probes": _probes}
    for name, parse in parsers.items():
        try:
            document[name] = parse(document[name])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DesignError(f"{path}, field {name!r}: {document[name]!r} cannot be read: {error!r}") from error
    return Manifest(**document)


def _plain(value: Any) -> Any:
    """A field as a JSON value."""
    if isinstance(value, TokenLayout):
        return {"shape": list(value.shape), "dtype": str(value.dtype), "lanes": value.lanes}
    if isinstance(value, MaskLayout):
        return {**_plain(value.tokens), "bits": value.bits}
    if isinstance(value, Probe):
        return {**{k: getattr(value, k) for k in ("producer", "consumer", "index")}, "layout": _plain(value.layout)}
    if isinstance(value, Port):
        return asdict(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value


def _layout(entry: dict[str, Any]) -> TokenLayout:
    return TokenLayout(Shape(*entry["shape"]), parse_dtype(entry["dtype"]), entry["lanes"])


def _input_layout(entry: dict[str, Any]) -> InputLayout:
    tokens = _layout(entry)
    return MaskLayout(tokens.shape, tokens.dtype, tokens.lanes, entry["bits"]) if "bits" in entry else tokens


def _ports(entries: Iterable[dict[str, Any]]) -> tuple[Port, ...]:
    return tuple(
        Port(**{**entry, "fields": {name: Slice(**part) for name, part in entry["fields"].items()}})
        for entry in entries
    )


def _probes(entries: Iterable[dict[str, Any]]) -> tuple[Probe, ...]:
    return tuple(Probe(**{**entry, "layout": _layout(entry["layout"])}) for entry in entries)
