"""What an open toolchain of a family of FPGAs is: its programs, its constraints, and how to read what it reports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from hw.fpga.device import Resources
from hw.tools.toolchains.pll import Pll


@dataclass(frozen=True)
class Step:
    """One program of the build, run in the project's folder.

    Parameters
        description    what it does, for people
        program        its name, a key of ``hw.tools.programs``
        arguments      its arguments
        inputs         files that it reads
        output         the file that it writes
    """

    description: str
    program: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str


class Package(NamedTuple):
    """The FPGA of a board as place and route has to know it.

    Parameters
        device     name of the device
        package    its package
        speed      its speed grade, for families that have speed grades
    """

    device: str
    package: str
    speed: int


class Toolchain(ABC):
    """From a netlist to a bitstream."""

    programs: ClassVar[Mapping[str, tuple[str, str]]]
    """Its programs: the Python module that each comes in, and the function that runs it; "" for the module itself."""
    library: ClassVar[str]
    """Yosys's file with the cells of the family."""
    pins_file: ClassVar[str]
    """File name of the pin constraints."""
    bitstream_file: ClassVar[str]
    """File name of the bitstream."""
    router: ClassVar[str]
    """The program that places and routes, a key of ``hw.tools.programs``."""
    devices: ClassVar[Mapping[str, tuple[str, ...]]]
    """The router's options for a device without a board, by device name; its only constraints are ``bare_pins``."""
    bare_pins: ClassVar[str] = ""
    """Text of the constraints file for a device without a board; "" where the router places ports by itself."""

    @abstractmethod
    def place(self, package: Package) -> tuple[tuple[str, ...], str]:
        """The router's arguments beyond those of every toolchain, and the file that it writes."""

    @abstractmethod
    def pack(self, routed: str) -> Step:
        """The step from the file that the router leaves to the bitstream."""

    @abstractmethod
    def pins(self, places: Mapping[str, str], rx: str, clock: str, clock_mhz: float, io_standard: str) -> str:
        """The constraints file: the pin of each port, its I/O standard, and the frequency of the oscillator.

        Parameters
            places         the pin of each port
            rx             the port to pull up
            clock          the port of the oscillator
            clock_mhz      its frequency
            io_standard    I/O standard of all pins; "" for the family's default
        """

    @abstractmethod
    def resources(self, report: Mapping[str, Any], log: str) -> Resources:
        """What a routed design takes.

        Parameters
            report     the router's report
            log        its log
        """

    @abstractmethod
    def pll(self, clock_in: float, max_mhz: float, pin: str) -> Pll:
        """The loop of the fastest clock that is not above ``max_mhz``.

        Parameters
            clock_in   frequency of the oscillator in MHz
            max_mhz    highest clock allowed, in MHz
            pin        pin of the oscillator
        Raises         PllError: there is none
        """
