"""The kinds that docs/encoders.md lists are those that are tested; their positions are counted right."""

import re

import pytest
from transformers import AutoConfig

from pipeline.encoding.encoder_kinds import positions, refusal
from tests.helpers.pages import read
from tests.helpers.tiny_encoders import KINDS, MORE_KINDS

TABLE = read("docs/encoders.md").partition("## What works")[2].partition("## What is refused")[0]


def test_the_page_lists_what_is_tested() -> None:
    listed = {
        kind
        for row in re.findall(r"^\| (`.*?) \|", TABLE, re.MULTILINE)
        for kind in re.findall(r"`([\w-]+)`", row)
    }
    assert listed - {"model_type"} == {*KINDS, *MORE_KINDS}


@pytest.mark.parametrize(
    "kind", ["ibert", "roberta-prelayernorm", "esm", "luke", "xlm-roberta-xl", "roberta"]
)
def test_positions_that_a_kind_never_uses_do_not_count(kind: str) -> None:
    config = AutoConfig.for_model(kind, pad_token_id=1, max_position_embeddings=514, vocab_size=20)
    assert positions(config) == 512


@pytest.mark.parametrize("kind", ["xlnet", "t5"])
def test_relative_positions_have_no_bound(kind: str) -> None:
    assert positions(AutoConfig.for_model(kind)) > 10**9


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("bart", "has a decoder"),
        ("mbart", "has a decoder"),
        ("funnel", "shortens the sequence"),
        ("vit", "reads more than text"),
        ("clip", "reads more than text"),
        ("xmod", "set default_language"),
    ],
)
def test_a_kind_that_cannot_be_taken_says_why(kind: str, says: str) -> None:
    reason = refusal(AutoConfig.for_model(kind))
    assert reason is not None
    assert says in reason
    assert kind in reason
