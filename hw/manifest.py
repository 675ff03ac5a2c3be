"""``manifest.json``: what a generated design is, its ports, and what it was made from and with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hw.layout import InputLayout, MaskLayout, TokenLayout
from models.ir.dtype import parse_dtype
from models.ir.graph import Shape

FORMAT = "netweave design"
VERSION = 2
MANIFEST_FILE = "manifest.json"


class DesignError(ValueError):
    """A design folder that cannot be read or written; the message names file, field and value."""


@dataclass(frozen=True)
class Slice:
    """Where a field lies in a payload: ``width`` bits from bit ``offset``."""

    offset: int
    width: int


@dataclass(frozen=True)
class Port:
    """A port of the top module. ``fields`` are those of a payload, empty for other ports."""

    name: str
    direction: str
    width: int
    fields: Mapping[str, Slice]


@dataclass(frozen=True)
class Probe:
    """The outputs that show one edge of the graph: ``<prefix>__payload``, ``__valid`` and ``__ready``."""

    producer: str
    consumer: str
    index: int
    layout: TokenLayout

    @property
    def prefix(self) -> str:
        return probe_prefix(self.producer, self.consumer, self.index)


def probe_prefix(producer: str, consumer: str, index: int) -> str:
    """The name in the Verilog of the edge into input ``index`` of ``consumer``."""
    return f"edge_{producer}__{consumer}_{index}"


@dataclass(frozen=True)
class Manifest:
    """One generated design.

    ``sha256``: of each file it was made from and of the Verilog. ``input``, ``output``: what the
    streams ``i`` and ``o`` carry; in the file, a layout with ``bits`` is one of masks. ``probes``: the
    edges to be seen in the Verilog with probes, empty where that was not asked for. ``tools``:
    versions by name. ``axi``: the registers and streams of the module ``netweave_axi``, as
    ``hw.interface.registers`` describes them to the driver.
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
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        for field in fields(self):
            document[field.name] = _plain(getattr(self, field.name))
        (folder / MANIFEST_FILE).write_text(json.dumps(document, indent=2) + "\n")


def load_manifest(folder: Path) -> Manifest:
    """The manifest of the design in ``folder``."""
    path = folder / MANIFEST_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DesignError(f"{path}: does not exist; a design is made by `netweave generate`") from None
    except (OSError, ValueError) as error:
        raise DesignError(f"{path}: is no readable JSON: {error}") from error
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise DesignError(f"{path}, field 'format': must be {FORMAT!r}")
    version = document.pop("version", None)
    if version != VERSION:
        raise DesignError(f"{path}, field 'version': {version!r}; this netweave reads version {VERSION}")
    known = [field.name for field in fields(Manifest)]
    for name in sorted(set(known) ^ set(document)):
        problem = "is missing" if name in known else "is unknown"
        raise DesignError(f"{path}, field {name!r}: {problem}; a manifest has {', '.join(known)}")
    readers = {"input": _input_layout, "output": _layout, "ports": _ports, "probes": _probes}
    for name, read in readers.items():
        try:
            document[name] = read(document[name])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DesignError(f"{path}, field {name!r}: {document[name]!r} cannot be read: {error!r}") from error
    return Manifest(**document)


def _plain(value: Any) -> Any:
    """JSON of a field."""
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
