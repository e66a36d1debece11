"""A layout comes back from JSON as it was; anything else is refused."""

import json
from dataclasses import asdict

import pytest

from pipeline.encoding.input_layout import InputLayout

LAYOUT = InputLayout((1,), (2, 3), 0, 4, window=20, overlap=6, identity="ab")
JSON = json.loads(json.dumps(asdict(LAYOUT)))


def test_it_comes_back_as_it_was():
    assert InputLayout.from_json(JSON) == LAYOUT
    bare = InputLayout((), (), 0, 0, window=1, overlap=0, identity="")
    assert InputLayout.from_json(json.loads(json.dumps(asdict(bare)))) == bare


def test_a_window_holds_what_prefix_and_suffix_leave():
    assert LAYOUT.capacity == 17
    assert InputLayout((), (), 0, 0, window=5, overlap=0, identity="").capacity == 5


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, JSON | {"more": 1}, {"prefix": [1]}])
def test_what_is_no_layout_is_refused(value):
    with pytest.raises(ValueError, match="the input layout is damaged"):
        InputLayout.from_json(value)


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("value", [None, -1, 1.5, True, "1", {}, [-1], [True], ["a"], [[1]]])
def test_a_damaged_value_is_refused(name, value):
    if name == "identity" and value == "1":
        return  # which is one
    with pytest.raises(ValueError, match="the input layout is damaged"):
        InputLayout.from_json(JSON | {name: value})


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"window": 3, "overlap": 0}, False),
        ({"window": 4, "overlap": 0}, True),
        ({"window": 4, "overlap": 2}, True),
        ({"window": 4, "overlap": 3}, False),
        ({"window": 20, "overlap": 10}, True),
        ({"window": 20, "overlap": 11}, False),
    ],
)
def test_there_must_be_room_for_text_and_windows_must_move_on(changes, fits):
    if fits:
        assert InputLayout.from_json(JSON | changes).window == changes["window"]
    else:
        with pytest.raises(ValueError, match="the input layout has no room for text"):
            InputLayout.from_json(JSON | changes)
