"""timing.json carries no seal: whatever is wrong with it is one line that names it and the stage."""

import copy
import json
import random

import pytest

from pipeline.errors import UserError
from pipeline.reporting.epoch_times import read_epoch_times
from pipeline.reporting.plot_tables import epoch_time_frame
from pipeline.reporting.tables import BLOCKS, timing_notes, timing_tables
from tests.helpers.sample_results import TIMING


def refusal(path):
    with pytest.raises(UserError) as caught:
        read_epoch_times(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    assert "dvc repro --single-item --force time_epochs" in message
    return message


def places(tree, path=()):
    """Every key of nested objects, as the keys that lead there."""
    for key, value in tree.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from places(value, (*path, key))


def test_what_was_measured_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "timing.json"
    path.write_text(json.dumps(TIMING))
    assert read_epoch_times(path) == TIMING


NEEDED = [
    place
    for place in places(TIMING)
    if len(place) != 2 or place[0] not in BLOCKS  # a method may be left out
]


@pytest.mark.parametrize("value", ["gone", None, [1], True, float("inf")])
def test_each_part_must_be_there_and_of_its_kind(tmp_path, value):
    path = tmp_path / "timing.json"
    for place in NEEDED:
        tree = copy.deepcopy(TIMING)
        inner = tree
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        if value == "gone":
            del inner[place[-1]]
        path.write_text(json.dumps(tree))
        assert f"`{'.'.join(place)}` is" in refusal(path)


def test_a_floor_of_no_time_is_refused(tmp_path):
    path = tmp_path / "timing.json"
    path.write_text(json.dumps(TIMING | {"lower_bound": TIMING["lower_bound"] | {"total": 0.0}}))
    assert "`lower_bound.total` is 0.0, must be a number above 0" in refusal(path)


def test_flipped_bits_and_truncations_are_a_page_or_one_line(tmp_path):
    path = tmp_path / "timing.json"
    whole = json.dumps(TIMING, indent=2).encode()
    chance = random.Random(0)
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        refusal(path)
    for _ in range(300):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        try:
            times = read_epoch_times(path)
        except UserError:
            refusal(path)
        else:
            epoch_time_frame(times)
            assert timing_tables(times)
            assert timing_notes(times)
