"""Whether an encoder can be computed in bfloat16 is tried on the encoder itself."""

import pytest
import torch
from transformers import AutoConfig, AutoModel

from pipeline.errors import UserError
from pipeline.model.encoder import load_encoder
from pipeline.model.precision_check import check_bfloat16
from tests.helpers.tiny_encoders import write_encoder


def test_an_encoder_that_can_is_run_in_bfloat16_once_and_left_as_it_was(bert, monkeypatch):
    encoder = load_encoder(bert).eval()
    seen = []
    forward = type(encoder).forward

    def noted(self, *given, **named):
        seen.append((torch.is_autocast_enabled("cpu"), torch.is_grad_enabled(), named["input_ids"].shape))
        return forward(self, *given, **named)

    monkeypatch.setattr(type(encoder), "forward", noted)
    check_bfloat16(encoder, bert, "teacher.precision")
    assert seen == [(True, False, (1, 8))]
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}


def test_an_encoder_that_cannot_is_one_line_with_its_key(tmp_path):
    folder = write_encoder(tmp_path / "deberta", "deberta")
    with pytest.raises(UserError) as caught:
        check_bfloat16(load_encoder(folder).eval(), folder, "student.precision")
    message = str(caught.value)
    start = f"student.precision: the encoder in {folder} (deberta) cannot be computed in bfloat16 ("
    assert message.startswith(start)
    assert message.endswith("); set student.precision: float32")


@pytest.mark.parametrize("pieces", [1, 3, 8])
def test_a_vocabulary_of_fewer_pieces_than_are_tried_is_no_reason_to_refuse(pieces, tmp_path):
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    config = AutoConfig.for_model("bert", vocab_size=pieces, pad_token_id=None, **sizes)
    check_bfloat16(AutoModel.from_config(config).eval(), tmp_path, "teacher.precision")


def test_another_error_is_not_taken_for_one_of_precision(bert, monkeypatch):
    encoder = load_encoder(bert).eval()

    def broken(*_, **__):
        raise TypeError("no such argument")

    monkeypatch.setattr(type(encoder), "forward", broken)
    with pytest.raises(TypeError, match="no such argument"):
        check_bfloat16(encoder, bert, "teacher.precision")
