"""Numbers written part by part are the file that safetensors writes of the whole."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from pipeline.storage.integer_writer import integer_writer

DTYPES = {"values": "int32", "offsets": "int64", "a": "int64", "none": "int32"}


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_the_bytes_are_those_of_safetensors(tmp_path: Path, parts: int) -> None:
    chance = np.random.default_rng(0)
    whole = {name: chance.integers(2**31, size=5 + 3 * place) for place, name in enumerate(DTYPES)}
    whole["none"] = whole["none"][:0]
    with integer_writer(tmp_path / "ours", DTYPES) as writer:
        for part in range(parts):
            writer.add(**{name: np.array_split(values, parts)[part] for name, values in whole.items()})
        assert not list(tmp_path.iterdir())
    save_file({name: values.astype(DTYPES[name]) for name, values in whole.items()}, tmp_path / "theirs")
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    assert {name: len(values) for name, values in load_file(tmp_path / "ours").items()} == {
        name: len(values) for name, values in whole.items()
    }


def test_a_block_that_raises_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), integer_writer(tmp_path / "ours", DTYPES) as writer:
        writer.add(unknown=np.zeros(1))
    assert not list(tmp_path.iterdir())
