"""The layout of DvsGesture: lists of trials, and the labels beside each."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.events import EventError
from models.events.formats import dvs_gesture
from tests.models.events import files
from tests.models.events.files import random_events, rows, write_file


def test_dvs_gesture_layout(tmp_path: Path) -> None:
    events = random_events(8, 500, 128, 128, longest=500)
    name = "user01_led"
    write_file(tmp_path / f"{name}.aedat", files.aedat3(events))
    write_file(tmp_path / "trials_to_train.txt", f"{name}.aedat\n".encode())
    write_file(tmp_path / "trials_to_test.txt", b"")
    middle, end = events[250][0], events[-1][0]
    labels = tmp_path / f"{name}_labels.csv"
    labels.write_text(f"class,startTime_usec,endTime_usec\n3,0,{middle}\n11,{middle},{end}\n")
    (trial,) = dvs_gesture.trials(tmp_path, "train")
    result = [(label, rows(part)) for label, part in dvs_gesture.gestures(trial)]
    assert result == [
        (3, [event for event in events if event[0] < middle]),
        (11, [event for event in events if middle <= event[0] < end]),
    ]
    assert dvs_gesture.trials(tmp_path, "test") == []
    with pytest.raises(EventError, match="split 'validation' must be one of train, test"):
        dvs_gesture.trials(tmp_path, "validation")
    for text, message in (
        ("class,start\n", "first line must be 'class,startTime_usec,endTime_usec'"),
        ("class,startTime_usec,endTime_usec\n1,2\n", "line 2: '1,2' must be three integers"),
        ("class,startTime_usec,endTime_usec\n1,9,2\n", "line 2: end 2 us must be at or after the start, 9 us"),
    ):
        labels.write_text(text)
        with pytest.raises(EventError, match=message):
            list(dvs_gesture.gestures(trial))
