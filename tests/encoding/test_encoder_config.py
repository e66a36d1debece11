"""What config.json may say: bounds on what would be built, and no word on how it is run."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.encoding.encoder_config import read_checked
from pipeline.errors import UserError


def read(folder: Path, **values: Any) -> dict[str, Any]:
    (folder / "config.json").write_text(json.dumps(values))
    return read_checked(folder)


def test_ordinary_values_stay(tmp_path: Path) -> None:
    values = {"model_type": "bert", "num_hidden_layers": 12, "rope": {"theta": 1e6}, "id2label": {"0": "O"}}
    assert read(tmp_path, **values) == values


def test_what_chooses_code_kernels_or_files_goes_at_every_depth(tmp_path: Path) -> None:
    inner = {
        "attn_implementation": "a/b",
        "auto_map": {"AutoConfig": "x.C"},
        "dtype": "float16",
        "n_layers": 2,
    }
    found = read(tmp_path, encoder=inner, transformers_weights="../x", torch_dtype="no-such", vocab_size=9)
    assert found == {"encoder": {"n_layers": 2}, "vocab_size": 9}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 201),
        ("n_layer", -201),
        ("num_attention_heads", 1025),
        ("hidden_size", 300_000),
        ("vocab_size", 10**9),
        ("anything", float("inf")),
        ("anything", float("nan")),
        ("anything", 10**400),
        ("attention_window", [4, 10**9]),
    ],
)
def test_a_number_out_of_bounds_is_named(key: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{tmp_path / 'config.json'}: {key} is "):
        read(tmp_path, **{key: value})


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    value: Any = 1
    for _ in range(20):
        value = {"x": value}
    with pytest.raises(UserError, match="nested more than"):
        read(tmp_path, x=value)
