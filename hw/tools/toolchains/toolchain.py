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
        what         what it does, for people
        program      its name, a key of ``hw.tools.programs``
        arguments    its arguments
        needs        files that it reads
        makes        the file that it leaves
    """

    what: str
    program: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...]
    makes: str


class Package(NamedTuple):
    """The FPGA of a board as place and route has to know it.

    Parameters
        device     name of the device
        package    its package
        speed      its speed grade, of families that have them
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
    """By name of a device, the router's options for a bare one, without constraints but for ``bare_pins``."""
    bare_pins: ClassVar[str] = ""
    """Constraints file of a bare device, where its router places no ports by itself."""

    @abstractmethod
    def place(self, on: Package) -> tuple[tuple[str, ...], str]:
        """(the router's arguments beside those of all toolchains, the file that it leaves)."""

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
    def pll(self, clock_in: float, wanted: float, pin: str) -> Pll:
        """The loop of the fastest clock that is not above a wanted one.

        Parameters
            clock_in   frequency of the oscillator in MHz
            wanted     the wanted clock in MHz
            pin        pin of the oscillator
        Raises         PllError: there is none
        """
