"""A mapping is read as it was written, and what is no mapping is named by place, field and value."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import FrameInput, Mapping, MappingError, Memory, Multiplier, OpMapping

sizes = st.integers(1, 1 << 20)
others = st.sampled_from([own for own in Multiplier if own is not Multiplier.PACKED])
foldings = st.one_of(
    st.builds(OpMapping, sizes, sizes, sizes, st.sampled_from(Memory), others),
    st.builds(OpMapping, sizes, sizes, sizes, st.sampled_from(Memory), st.just(Multiplier.PACKED), st.integers(1, 99)),
)
mappings = st.builds(
    Mapping,
    st.sampled_from([*DEVICES]),
    st.floats(1, 2000),
    st.dictionaries(st.text(), foldings, max_size=3),
    st.dictionaries(st.text(), st.integers(0, 1 << 20), max_size=3),
    st.sampled_from(FrameInput),
)

OP = {"pe": 4, "simd": 2, "taps": 9, "memory": "bram", "multiplier": "dsp", "operand": 0}
ENTRY = {
    "version": 1, "device": "zu3eg", "clock_mhz": 200, "ops": {"stem": OP}, "queues": {"stem->head": 3},
}  # fmt: skip


@settings(max_examples=10)
@given(mappings)
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, mapping: Mapping) -> None:
    path = tmp_path_factory.getbasetemp() / "mapping.json"
    mapping.save(path)
    assert Mapping.load(path) == mapping == Mapping.of(mapping.entry())


def test_values_of_a_file_become_kinds() -> None:
    mapping = Mapping.of(ENTRY)
    assert mapping.ops == {"stem": OpMapping(4, 2, 9, Memory.BRAM, Multiplier.DSP)}
    assert mapping.ops["stem"].memory is Memory.BRAM
    assert (mapping.queues, mapping.frame_input) == ({"stem->head": 3}, FrameInput.TOKENS)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"version": 2}, "field 'version': 2; this netweave reads version 1"),
        ({"clock_mhz": True}, "field 'clock_mhz': True must be above 0 and at most 2000"),
        ({"clock_mhz": 2000.5}, "field 'clock_mhz': 2000.5 must be above 0 and at most 2000"),
        ({"device": 3}, "field 'device': 3 must be a text"),
        ({"ops": [1]}, "field 'ops': [1] must be an object"),
        ({"queues": {"a->b": -1}}, "field 'queues': 'a->b': -1 must be an integer of 0 to 1048576"),
        ({"frame_input": "rows"}, "frame_input: 'rows' must be one of tokens, mask"),
        ({"ops": {"stem": OP | {"pe": 0}}}, "op 'stem': pe must be a positive integer of at most 1048576, not 0"),
        (
            {"ops": {"stem": OP | {"operand": 27}}},
            "op 'stem': operand must be 0 where multiplier is dsp, not 27",
        ),
        (
            {"ops": {"stem": OP | {"multiplier": "packed"}}},
            "op 'stem': operand must be the bits of a DSP block's wider operand, such as 27 "
            "where multiplier is packed, not 0",
        ),
        ({"ops": {"stem": OP | {"memory": "disk"}}}, "op 'stem': 'disk' is not a valid Memory"),
    ],
)
def test_what_is_no_mapping_is_named(change: dict[str, Any], says: str) -> None:
    separator = ": " if says.startswith("frame_input") else ", "
    with pytest.raises(MappingError) as error:
        Mapping.of(ENTRY | change, "m.json")
    assert str(error.value) == f"m.json{separator}{says}"


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(MappingError, match=r"m\.json: cannot be read as JSON: "):
        Mapping.load(tmp_path / "m.json")
    with pytest.raises(MappingError, match=r"absent\.json: cannot be read as JSON: "):
        Mapping.load(tmp_path / "absent.json")


def test_a_device_without_blocks_keeps_weights_in_luts() -> None:
    assert Memory.on(DEVICES["zu3eg"]) == (Memory.LUT, Memory.BRAM)
    assert Memory.on(dataclasses.replace(DEVICES["zu3eg"], bram=0)) == (Memory.LUT,)
