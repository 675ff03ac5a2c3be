from __future__ import annotations

from pathlib import Path

import pytest

from netweave.config import ConfigError, load
from tests.hw.boards.test_board import OWN

ROOT = Path(__file__).resolve().parents[2]
DEVICE = '[[device]]\nname = "zu3eg"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "net.toml"
    path.write_text(text)
    return path


def test_example_loads_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    config = load(ROOT / "examples" / "digits.toml")
    assert [device.name for device in config.device] == ["zu3eg", "ecp5-25k"]
    assert config.name == "digits"
    small = load(write(tmp_path, DEVICE))
    assert small.name == "net"
    assert small.quantize == config.quantize
    assert small.cosim.images == 20
    assert load(ROOT / "examples" / "digits_dvs.toml").explore.activity == small.explore.activity == "mean"


def test_own_files_are_meant_from_the_configuration(tmp_path: Path) -> None:
    for name in ("net.py", "data.npz"):
        (tmp_path / name).touch()
    config = load(write(tmp_path, f'model = "net.py:build"\ndata = "data.npz"\n{DEVICE}'))
    assert config.model == f"{tmp_path.resolve() / 'net.py'}:build"
    assert config.data == str(tmp_path.resolve() / "data.npz")
    backbone = load(write(tmp_path, f'model = "backbone:w1-d1.1-k3-e2"\ndata = "n_mnist:there@17"\n{DEVICE}'))
    assert (backbone.model, backbone.data) == ("backbone:w1-d1.1-k3-e2", f"n_mnist:{tmp_path.resolve() / 'there@17'}")
    smaller = load(write(tmp_path, f'data = "data.npz@8"\n{DEVICE}'))
    assert smaller.data == str(tmp_path.resolve() / "data.npz@8")
    assert load(write(tmp_path, f'data = "n_mnist:real"\n{DEVICE}')).data == f"n_mnist:{tmp_path.resolve() / 'real'}"
    assert load(write(tmp_path, f'data = "n_mnist"\n{DEVICE}')).data == "n_mnist"


def test_a_board_brings_its_device(tmp_path: Path) -> None:
    assert load(ROOT / "examples" / "tiny_icebreaker.toml").device[0].name == "ice40up5k"
    (device,) = load(ROOT / "examples" / "digits_dvs_ulx3s.toml").device
    assert (device.name, device.built_for.name) == ("ecp5-25k", "ulx3s-25f")
    (tmp_path / "mine.toml").write_text(OWN)
    (own,) = load(write(tmp_path, '[[device]]\nboard = "mine.toml"\n')).device
    assert (own.name, own.built_for.title) == ("ecp5-25k", "A board of my own")


@pytest.mark.parametrize(
    "text, field, says",
    [
        (f"modle = 'a'\n{DEVICE}", "modle", "unknown key (value 'a'); did you mean 'model'? valid are name, model"),
        (f"{DEVICE}clock = 3\n", "device[0].clock", "unknown key (value 3); did you mean 'clock_mhz'?"),
        (f"[cosim]\nimage = 1\n{DEVICE}", "cosim.image", "unknown key (value 1); did you mean 'images'?"),
        ("", "device", "needs a [[device]] table"),
        ("device = 3\n", "device", "3: input should be a valid list"),
        ("[[device]]\nclock_mhz = 3\n", "device[0].name", "is missing"),
        ('[[device]]\nname = "zu3ge"\n', "device[0].name", "unknown device 'zu3ge'; did you mean 'zu3eg'? valid are"),
        ('[[device]]\nname = "own.toml"\n', "device[0].name", "own.toml: cannot be read as a device"),
        (DEVICE + DEVICE, "device[1].name", "'zu3eg' is listed twice"),
        (f"{DEVICE}utilisation = 1.5\n", "device[0].utilisation", "1.5: input should be less than or equal to 1"),
        (f"{DEVICE}utilisation = 0\n", "device[0].utilisation", "0: input should be greater than 0"),
        (f'{DEVICE}clock_mhz = "fast"\n', "device[0].clock_mhz", "'fast': input should be a valid number"),
        (
            f'[quantize]\nformats = ["int9"]\n{DEVICE}',
            "quantize.formats[0]",
            "'int9' is no number format; did you",
        ),
        (f'[quantize]\nformats = ["uint8"]\n{DEVICE}', "quantize.formats[0]", "'uint8' is no number format"),
        (f'[quantize]\nformats = ["int8", "int8"]\n{DEVICE}', "quantize.formats", "int8 stands there more than once"),
        (f"[quantize]\nformats = []\n{DEVICE}", "quantize.formats", "[]: list should have at least 1 item"),
        (f'[quantize]\ncalibration = "mes"\n{DEVICE}', "quantize.calibration", "did you mean 'mse'? valid are minmax"),
        (f'[quantize]\nsensitivity = "los"\n{DEVICE}', "quantize.sensitivity", "did you mean 'loss'? valid are loss"),
        (f'[explore]\nobjective = "utilisation"\n{DEVICE}', "explore", "at what speed? set frame_rate or max_latency"),
        (f"[explore]\nspeedups = [1]\n{DEVICE}", "explore.speedups[0]", "1: input should be greater than 1"),
        (f'[explore]\nactivity = "median"\n{DEVICE}', "explore.activity", "'median' is no number of a training image"),
        (
            f"[explore]\nactivity = -1\n{DEVICE}",
            "explore.activity",
            "-1 is no number of a training image, 0 and up, and",
        ),
        (
            f'[quantize]\nformats = ["int4"]\n[explore]\nspeedups = [2]\n{DEVICE}',
            "",
            "explore.speedups are over int8, which is none of quantize.formats: int4",
        ),
        ('[[device]]\nboard = "ulx3s"\n', "device[0]", "unknown board 'ulx3s'; did you mean 'ulx3s-"),
        (f'{DEVICE}board = "own.toml"\n', "device[0].board", "own.toml: cannot be read as a board"),
        (
            f'{DEVICE}board = "icebreaker"\n',
            "device[0]",
            "'zu3eg' is not the device of board 'icebreaker', 'ice40up5k'",
        ),
        (f"[cosim]\nimages = 0\n{DEVICE}", "cosim.images", "0: input should be greater than or equal to 1"),
        (f'[cosim]\nsimulator = "icurus"\n{DEVICE}', "cosim.simulator", "did you mean 'icarus'?"),
        (f"[cosim]\nprobes = 1\n{DEVICE}", "cosim.probes", "1: input should be a valid boolean"),
        (f'name = "../up"\n{DEVICE}', "name", "'../up' must be a folder's name"),
        (f'model = "nothing.py:build"\n{DEVICE}', "model", "'nothing.py:build': there is no file"),
        (f'data = "nothing.npz"\n{DEVICE}', "data", "'nothing.npz': there is no file"),
        ("model = [\n", "", "is not TOML"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, text: str, field: str, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{path}: {field}")
    assert says in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file"):
        load(tmp_path / "nowhere.toml")
