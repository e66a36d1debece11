"""What an encoder must compute is tried before anything is trained: its own states, beside any padding."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.encoding.input_layout import InputLayout
from pipeline.encoding.settings import Prepare
from pipeline.encoding.tokenization import input_layout, load_tokenizer
from pipeline.errors import UserError
from pipeline.model import encoder_check
from pipeline.model.encoder_check import check_encoder
from tests.helpers import tiny_encoders
from tests.helpers.tiny_encoders import KINDS, MORE_KINDS, POSITIONS, write_encoder

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "convbert": ({"embedding_size": 16}, "gives different hidden states when its input is padded"),
    "fnet": ({}, "gives different hidden states when its input is padded"),
    "nystromformer": ({"num_landmarks": 4, "segment_means_seq_len": 64}, "kind nystromformer"),
    "bros": ({}, "cannot be run on word pieces alone"),
    "canine": ({}, "gives different hidden states when its input is padded"),
    "bart": (
        {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
        | {f"{part}_attention_heads": 2 for part in ("encoder", "decoder")}
        | {f"{part}_ffn_dim": 24 for part in ("encoder", "decoder")},
        "model_type bart has a decoder",
    ),
    "xmod": ({"languages": ["en_XX"], "default_language": None}, "set default_language"),
}
DEPTH_COUNTS = {"num_heads": 2, "attention_types": [[["global", "local", "global"], 1]]}  # of gpt_neo


def layout_of(folder: Path) -> InputLayout:
    return input_layout(load_tokenizer(folder), folder, Prepare(window=512, overlap=6))


@pytest.mark.parametrize("kind", KINDS | MORE_KINDS)
def test_a_kind_that_works_passes_at_its_whole_window(
    kind: str, encoder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With an index error, if the window counted positions that the kind never uses."""
    layout = layout_of(encoder(kind))
    assert layout.window == POSITIONS
    check_encoder(encoder(kind), layout)
    assert not caplog.records


def changed_ernie(kind: str, changes: dict[str, Any], place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoder of the kind, with the shape of the tiny ERNIE but for the changes."""
    build, name, special, shape = tiny_encoders.MORE_KINDS["ernie"]
    monkeypatch.setitem(tiny_encoders.MORE_KINDS, kind, (build, name, special, shape | changes))
    return write_encoder(place / kind, kind)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_kind_that_does_not_is_one_line(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes, says = REFUSED[kind]
    folder = changed_ernie(kind, changes, tmp_path, monkeypatch)
    with pytest.raises(UserError, match=says) as caught:
        check_encoder(folder, layout_of(folder))
    assert str(caught.value).startswith(str(folder))
    assert kind in str(caught.value)
    assert "\n" not in str(caught.value)


def test_depths_that_are_not_possible_are_told_before_the_teacher_is_trained(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Four layers of twelve fall into other groups of ALBERT's than the first four of them."""
    folder = write_encoder(tmp_path / "albert", "albert", num_hidden_layers=12, num_hidden_groups=4)
    check_encoder(folder, layout_of(folder))
    (record,) = caplog.records
    assert "students may have 1, 2, 3, 5, 6, 8, 9, 11, 12 of its layers" in record.getMessage()


def test_an_encoder_that_is_usable_as_a_whole_alone_can_be_a_teacher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its students may be of another encoder, or BiLSTMs."""
    folder = changed_ernie("gpt_neo", DEPTH_COUNTS, tmp_path, monkeypatch)
    check_encoder(folder, layout_of(folder))
    (record,) = caplog.records
    assert "students may have 3 of its layers" in record.getMessage()


def test_a_window_of_too_many_positions_is_found(bert: Path) -> None:
    with pytest.raises(UserError, match=r"kind bert cannot be run .*(Index|Runtime)Error"):
        encoder_check.check_encoder(bert, InputLayout((2,), (3,), 0, 1, POSITIONS + 2, 6, ""))
