"""CONFIG.toml: what to build, for which devices, checked in full before anything runs.

Keys that are left out take the defaults below. ``load`` raises ConfigError, whose message names
file, field, value and what would be valid.
"""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, model_validator

from hw.boards import board as boards
from hw.fpga.device import Device, DeviceError
from hw.fpga.families import registry as devices
from hw.fpga.families.registry import family
from models.ir.activity import LOADS, Load
from models.ir.files import read_toml
from models.ir.formats.registry import FORMAT_NAMES
from models.ir.layer_format import LayerFormat
from models.ir.names import NAME_RULE, did_you_mean, is_name, near
from models.ir.serialize import GRAPH_FILE

OWN_FILE = re.compile(r"(?P<file>.+\.py(?=:)|.+\.npz(?=@|$))(?P<rest>(:[A-Za-z_]\w*)?(@\d+)?)")
"""``file.py:function`` or ``file.npz``, and the rows that its images are to have."""
GRAPH = "graph:"
"""What a model begins with that is the folder of a network quantized already."""


NETWORK_FILES = (".onnx", ".tflite")
"""Endings of other tools' networks, which are quantized already."""


def quantized_network(model: str) -> Path | None:
    """The folder or the file of a network that is quantized already; None for a model that is yet to be trained."""
    if model.endswith(NETWORK_FILES):
        return Path(model)
    return Path(model.removeprefix(GRAPH)) if model.startswith(GRAPH) else None


class ConfigError(ValueError):
    """A configuration that cannot be run; the message names file, field, value and what is valid."""

    def __init__(self, path: Path, field: str, why: str) -> None:
        super().__init__(f"{path}: {field + ': ' if field else ''}{why}")
        self.path, self.field = path, field


class UnsuitableError(ValueError):
    """A configuration that one stage cannot take; the message names field, value and what would be valid."""


def _format(name: str) -> str:
    try:
        LayerFormat.parse(name)
    except ValueError:
        pairs = [f"{weights}x{output}" for weights in FORMAT_NAMES for output in FORMAT_NAMES]
        hint, names = near(name, [*FORMAT_NAMES, *pairs]), ", ".join(FORMAT_NAMES)
        why = f"{hint}valid are {names}, or weights' and output's, such as dybit4xint8"
        raise ValueError(f"{name!r} is no number format; {why}") from None
    return name


def _distinct(values: list[Any]) -> list[Any]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{', '.join(map(str, twice))} stands there more than once")
    return values


def _device(name: str) -> str:
    device = devices.device(name)
    try:
        family(device)  # names what no cost is known for before any time is spent
    except DeviceError as error:
        raise ValueError(f"{name}: {error}" if device.name != name else str(error)) from None
    return name


def _activity(value: Any) -> Load | int:
    if value in LOADS or (type(value) is int and value >= 0):
        return value
    raise ValueError(f"{value!r} is no number of a training image, 0 and up, and none of {', '.join(LOADS)}")


def _board(name: str) -> str:
    boards.board(name)
    return name


def _run_name(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"{name!r} must be a folder's name: {NAME_RULE}")
    return name


def _depths(text: str) -> str:
    if not re.fullmatch(r"([1-9]|1[0-6])\.([1-9]|1[0-6])", text):
        raise ValueError(f"{text!r} must be the blocks of two stages, 1 to 16 each, such as '2.1'")
    return text


def _kernel(side: int) -> int:
    if side not in (3, 5, 7):
        raise ValueError(f"{side} must be 3, 5 or 7")
    return side


Share = Annotated[float, Field(gt=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=1 << 32)]
Formats = Annotated[list[Annotated[str, AfterValidator(_format)]], Field(min_length=1), AfterValidator(_distinct)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Train(_Section):
    """Float training, ``epochs`` of it; 0 where the model comes with its weights."""

    epochs: Annotated[int, Field(ge=0, le=10_000)] = 30
    seed: Seed = 0


class Quantize(_Section):
    """``epochs`` of quantization-aware training after calibration, for every assignment of formats.

    ``formats``: those that layers may take: "int8", or "dybit4xint8", weights in one and what comes out in another.
    ``sensitivity``: what a format costs a layer before any training, by the ``loss`` measured with that layer alone
    in it, or by the ``hessian``'s trace times the squared quantization error. ``reconstruction``: how often the
    rounding of every weight is chosen for what its layer gives, before that training; 0 leaves it to the nearest.
    """

    formats: Formats = ["int8", "int4", "dybit8", "dybit4"]
    calibration: Literal["minmax", "percentile", "mse"] = "mse"
    sensitivity: Literal["loss", "hessian"] = "loss"
    reconstruction: Annotated[int, Field(ge=0, le=1000)] = 0
    epochs: Annotated[int, Field(ge=0, le=1000)] = 4


class Explore(_Section):
    """What designs are to be best in: ``latency`` of one frame, ``bottleneck``, the largest of the ops' mean cycles a
    frame, or ``utilisation``, the least share of the device that keeps to the limits.

    ``frame_rate``: so many frames a second at least, by the bottleneck. ``max_latency_ms``: of one frame, in
    milliseconds, at most.
    ``budgets``: shares of the device looked at, from all that may be used down to the least that a design fits in.
    ``points``: so many at least on the front, where further budgets between those on it can give them.
    ``gap``: share by which a design may miss the best; 0 proves each to be it. ``error_step``: where each layer has a
    format of its own, by how much of the largest summed error one design's is under the next. ``speedups``: also the
    least error of what is so many times as fast as int8; ``max_errors``: also the best of what has no larger summed
    error. ``activity``: what a sparse network's costs are those of: the ``mean`` frame of the training split; ``p99``,
    which 99 % of its frames do not exceed; or one of them, by its number.
    """

    objective: Literal["latency", "bottleneck", "utilisation"] = "latency"
    frame_rate: Annotated[float, Field(gt=0)] | None = None
    max_latency_ms: Annotated[float, Field(gt=0)] | None = None
    activity: Annotated[Load | int, PlainValidator(_activity)] = "mean"
    budgets: Annotated[int, Field(ge=1, le=100)] = 4
    points: Annotated[int, Field(ge=1, le=1000)] = 8
    gap: Annotated[float, Field(ge=0, le=1)] = 0.02
    error_step: Annotated[float, Field(gt=0, le=1)] = 0.2
    speedups: list[Annotated[float, Field(gt=1)]] = []
    max_errors: list[Annotated[float, Field(ge=0)]] = []

    @model_validator(mode="after")
    def _limited(self) -> Explore:
        if self.objective == "utilisation" and self.frame_rate is None and self.max_latency_ms is None:
            raise ValueError("the least resources at what speed? set frame_rate or max_latency_ms")
        if self.objective == "utilisation" and self.speedups:
            raise ValueError("speedups ask for a speed, objective 'utilisation' for little else; take one of them")
        return self


class DeviceConfig(_Section):
    """A target: ``name`` of `netweave devices` or a .toml file; ``utilisation``, the share of it that may be used.

    ``frame_input``: frames come in as ``tokens``, or as a bit-``mask`` of active sites and their packed features.
    ``board``: of `netweave boards` or a .toml file, to whose bitstream the design is taken; ``name`` may then be left
    out, as the board has its device. ``seeds``: how many placements may be tried to keep to its clock.

    The design generated is the fastest of the front that loses at most ``max_loss`` points of accuracy to float,
    or the one that ``pick`` names: a point, or a rule of ``dse.front.pick``.
    """

    name: Annotated[str, AfterValidator(_device)]
    clock_mhz: Annotated[float, Field(gt=0, le=1000)] | None = None
    utilisation: Share = 0.7
    max_loss: Annotated[float, Field(ge=0, le=100)] = 0.5
    pick: str | None = None
    frame_input: Literal["tokens", "mask"] = "tokens"
    board: Annotated[str, AfterValidator(_board)] | None = None
    seeds: Annotated[int, Field(ge=1, le=100)] = 1

    @model_validator(mode="before")
    @classmethod
    def _name_of_board(cls, table: Any) -> Any:
        if isinstance(table, dict) and "name" not in table and isinstance(table.get("board"), str):
            return {"name": boards.board(table["board"]).device, **table}
        return table

    @model_validator(mode="after")
    def _holds_together(self) -> DeviceConfig:
        if self.utilisation * self.target.lut < 1:
            least = math.ceil(1e6 / self.target.lut) / 1e6
            few = f"is less than one of the {self.target.lut} LUTs of {self.name!r}"
            raise ValueError(f"utilisation: {self.utilisation:g} {few}; it must be {least:g} or more")
        if self.board is not None and self.built_for.device != self.name:
            raise ValueError(f"{self.name!r} is not the device of board {self.board!r}, {self.built_for.device!r}")
        return self

    @property
    def target(self) -> Device:
        return devices.device(self.name)

    @property
    def built_for(self) -> boards.Board:
        assert self.board is not None, "asked of a device without a board"
        return boards.board(self.board)


Width = Annotated[float, Field(ge=0.125, le=8)]
Depths = Annotated[str, AfterValidator(_depths)]
Kernel = Annotated[int, AfterValidator(_kernel)]
Side = Annotated[int, Field(ge=4, le=4096)]


class SearchConfig(_Section):
    """Which backbones `netweave search` chooses from; each of the formats under ``[quantize]`` is a choice as well.

    ``width``: what channels are multiplied by. ``depth``: blocks of either stage, such as "2.1". ``kernel``: side of
    depthwise convolutions. ``expansion``: channels within a block, times those it is given. ``resolution``: rows of
    its images; those of the data set where left out. The data set must be sparse where they are fewer.

    ``evaluations``: networks trained and measured. ``method``: ``tree``, by what predictors expect, or ``random``.
    Networks of less than ``min_accuracy`` percent, or of more than ``max_cycles``, are of no use.
    """

    width: Annotated[list[Width], Field(min_length=1), AfterValidator(_distinct)] = [0.5, 0.75, 1.0]
    depth: Annotated[list[Depths], Field(min_length=1), AfterValidator(_distinct)] = ["1.1", "1.2", "2.2"]
    kernel: Annotated[list[Kernel], Field(min_length=1), AfterValidator(_distinct)] = [3, 5]
    expansion: Annotated[list[Annotated[int, Field(ge=1, le=16)]], Field(min_length=1), AfterValidator(_distinct)] = [
        1, 2, 3,
    ]  # fmt: skip
    resolution: Annotated[list[Side], Field(min_length=1), AfterValidator(_distinct)] | None = None
    evaluations: Annotated[int, Field(ge=2, le=100_000)] = 40
    seed: Seed = 0
    method: Literal["tree", "random"] = "tree"
    min_accuracy: Annotated[float, Field(ge=0, lt=100)] = 50.0
    max_cycles: Annotated[int, Field(ge=2)] = 100_000


class CosimConfig(_Section):
    """``images`` of the test split through the RTL of each design.

    ``layers`` also runs each layer on its own, for its cycles a frame; ``probes`` compares every edge of the
    whole design, which takes a second Verilog file that shows them.
    """

    images: Annotated[int, Field(ge=1, le=100_000)] = 20
    simulator: Literal["verilator", "icarus"] = "verilator"
    layers: bool = True
    probes: bool = False


class Config(_Section):
    """One run. Relative paths are meant from the folder of the configuration file."""

    name: Annotated[str, AfterValidator(_run_name)]
    model: str = "digits_cnn"
    data: str = "digits"
    train: Train = Train()
    quantize: Quantize = Quantize()
    explore: Explore = Explore()
    device: Annotated[list[DeviceConfig], Field(min_length=1)]
    cosim: CosimConfig = CosimConfig()
    search: SearchConfig = SearchConfig()

    @model_validator(mode="after")
    def _speedups_have_int8(self) -> Config:
        if self.explore.speedups and "int8" not in self.quantize.formats:
            formats = ", ".join(self.quantize.formats)
            raise ValueError(f"explore.speedups are over int8, which is none of quantize.formats: {formats}")
        return self

    @model_validator(mode="after")
    def _imported_as_it_is(self) -> Config:
        if quantized_network(self.model) is not None:
            own = {key for key in ("train", "quantize") if key in self.model_fields_set}
            own |= {f"explore.{key}" for key in ("speedups", "max_errors") if getattr(self.explore, key)}
            if own:
                why = "is quantized already and stays as it is"
                raise ValueError(f"{', '.join(sorted(own))}: model {self.model!r} {why}; leave them out")
        return self


def load(path: Path) -> Config:
    """The configuration in the TOML file ``path``; ``name`` is the file's stem where left out."""
    try:
        table = read_toml(path)
    except FileNotFoundError:
        raise ConfigError(path, "", "there is no such file; examples/digits_dvs.toml is one to start from") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, "", f"cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, "", f"is not TOML: {error}") from None
    table.setdefault("name", path.stem)
    for field in ("model", "data"):
        if isinstance(table.get(field), str):
            table[field] = _own_file(path, field, table[field])
    for entry in table.get("device", []) if isinstance(table.get("device"), list) else []:
        for key in ("name", "board") if isinstance(entry, dict) else ():
            if str(entry.get(key, "")).endswith(".toml") and str(entry[key]).isprintable():
                entry[key] = str((path.parent / entry[key]).resolve())
    try:
        config = Config.model_validate(table)
    except pydantic.ValidationError as error:
        field, why = _explain(error.errors()[0])
        raise ConfigError(path, field, why) from None
    names = [device.target.name for device in config.device]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigError(path, f"device[{index}].name", f"{name!r} is listed twice; both would have one folder")
    return config


def _own_file(path: Path, field: str, value: str) -> str:
    """``file.py:function``, ``file.npz`` or ``name:folder`` with the path made absolute; names as they are."""
    if not value.isprintable():
        raise ConfigError(path, field, f"{value!r} must be of printable characters")
    match = OWN_FILE.fullmatch(value)
    if field == "model" and (graph := quantized_network(value)) is not None:
        folder = (path.parent / graph.expanduser()).resolve()
        if not value.startswith(GRAPH):
            if not folder.is_file():
                raise ConfigError(path, field, f"{value!r}: there is no file {folder}")
            return str(folder)
        if not (folder / GRAPH_FILE).is_file():
            raise ConfigError(path, field, f"{value!r}: there is no file {folder / GRAPH_FILE}")
        return f"{GRAPH}{folder}"
    if match is None:
        name, _, folder = value.partition(":")
        if field == "data" and folder:
            return f"{name}:{(path.parent / Path(folder).expanduser()).resolve()}"
        return value
    file = (path.parent / match["file"]).resolve()
    if not file.is_file():
        raise ConfigError(path, field, f"{value!r}: there is no file {file}")
    return f"{file}{match['rest']}"


def _explain(error: Any) -> tuple[str, str]:
    """(field, why) of one error of pydantic's, in the words of this file."""
    location = list(error["loc"])
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        keys = tuple(_section(location[:-1]).model_fields)
        return field, f"unknown key (value {value!r}); {did_you_mean(location[-1], keys)}"
    if kind == "missing":
        valid = "needs a [[device]] table" if field == "device" else "is missing"
        return field, valid
    if kind == "literal_error":
        options = tuple(get_args(_section(location[:-1]).model_fields[str(location[-1])].annotation))
        return field, f"{value!r} is not one of them; {did_you_mean(value, options)}"
    if kind == "value_error":
        return field, str(error["ctx"]["error"])
    message = error["msg"]
    return field, f"{value!r}: {message[0].lower()}{message[1:]}"


def _section(location: list[Any]) -> type[BaseModel]:
    """The model that holds the key at ``location``."""
    model: type[BaseModel] = Config
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        inner = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        model = next(kind for kind in inner if issubclass(kind, BaseModel))
    return model
