"""Whatever the JSON files of a model folder say, it is loaded or refused in one line; nothing hangs.

The mutants are counted; `-m slow` runs the same tests on many more.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.encoding.settings import Prepare
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from pipeline.inference.tagger import load
from pipeline.model.encoder_check import check_encoder
from tests.helpers.tiny_encoders import KINDS
from tests.promises.test_fuzz_input import error_of, mutants

FEW, MANY = 40, 4000
amount = pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        7,
        200,
        201,
        10**9,
        10**30,
        -(10**9),
        0.5,
        -0.5,
        1e308,
        float("nan"),
    ),
    *("", "x", "../x", "/etc/passwd", "someone/kernel", "relu", "float16", "\ud800", "[PAD]"),
    *([], [1], ["x"], [[]], {}, {"x": 1}, {"0": "O"}, {"__type": "AddedToken", "content": "x"}),
)
KEYS = (
    *("attn_implementation", "auto_map", "model_type", "architectures", "dtype", "layer_types"),
    *("num_hidden_layers", "hidden_size", "vocab_size", "is_decoder", "add_cross_attention", "pad_token_id"),
    *("chunk_size_feed_forward", "problem_type", "pruned_heads", "rope_scaling", "num_labels", "id2label"),
    *("tokenizer_class", "model_max_length", "added_tokens_decoder", "extra_special_tokens", "unk_token"),
    *("vocab_file", "tokenizer_file", "padding_side", "split_special_tokens", "chat_template"),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every dictionary or list inside `value`, with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def trees(seed: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """`count` copies with some values exchanged, taken out, or put in under known names."""
    rng = random.Random(count)
    for _ in range(count):
        tree = json.loads(json.dumps(seed))
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            found = list(places(tree))[:400]
            holder, key = rng.choice(found) if found else (tree, rng.choice(KEYS))
            match rng.randrange(4):
                case 0:
                    del holder[key]
                case 1:
                    tree[rng.choice(KEYS)] = rng.choice(VALUES)
                case _:
                    holder[key] = rng.choice(VALUES)
        yield tree


def one_line_or_nothing(call: Callable[..., object], folder: Path) -> None:
    message = error_of(call)
    assert message is None or str(folder) in message or message.startswith(("prepare.", "the encoder"))


def written(folder: Path, name: str, count: int) -> Iterator[None]:
    """Damage one JSON file of the folder in one way after the other: as a tree, and as bytes."""
    content = (folder / name).read_bytes()
    for tree in trees(json.loads(content), count):
        (folder / name).write_text(json.dumps(tree))
        yield
    for mutant in mutants(content, count // 2):
        (folder / name).write_bytes(mutant)
        yield


@amount
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")  # libraries warn of what they are given
def test_encoder_folders(name: str, kind: str, count: int, encoder: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(encoder(kind), tmp_path / "encoder")

    def prepare() -> None:
        tokenizer = load_tokenizer(folder)
        check_encoder(folder, input_layout(tokenizer, folder, Prepare(window=40, overlap=6)))

    for _ in written(folder, name, count // len(KINDS)):
        one_line_or_nothing(prepare, folder)


@amount
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json"])
@pytest.mark.filterwarnings("ignore")
def test_model_folders(name: str, count: int, teacher: Path, tmp_path: Path) -> None:
    """As they come from a hub, without a seal: loaded, and then used."""
    folder = shutil.copytree(teacher, tmp_path / "model")
    (folder / "seal.json").unlink()
    for _ in written(folder, name, count // 3):
        one_line_or_nothing(lambda: load(folder)(["ba neRI tok ."]), folder)
