"""An encoder folder's tokenizer, and what of it the batches need."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoConfig, AutoTokenizer

from pipeline.encoding.encoded import InputLayout
from pipeline.errors import UserError, first_line

# Their position ids start behind the padding id, so that many positions are never used.
_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "camembert", "longformer", "mpnet", "data2vec-text", "xmod"}


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer in `folder`, made to see each word as standing behind a space.

    Raises:
        UserError: there is none.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, use_fast=True, add_prefix_space=True, local_files_only=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{folder}: no usable tokenizer ({first_line(error)}); teacher.encoder must name one"
        ) from None
    if len(tokenizer) <= len(tokenizer.all_special_ids):  # made up where the files are missing
        raise UserError(
            f"{folder}: no usable tokenizer (its vocabulary is empty); teacher.encoder must name one"
        )
    if tokenizer.unk_token_id is None or tokenizer.pad_token_id is None:
        raise UserError(
            f"{folder}: the tokenizer has no unknown or no padding token; choose another teacher.encoder"
        )
    _add_prefix_space(tokenizer.backend_tokenizer)
    return tokenizer


def input_layout(tokenizer: Any, folder: Path, *, window: int, overlap: int) -> InputLayout:
    """The tokenizer's special pieces, and the longest input (at most `window`) of the encoder in `folder`.

    Raises:
        UserError: `overlap` leaves no room in the window.
    """
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    before = next(i for i in range(len(full)) if full[i : i + len(bare)] == bare)
    window = min(window, tokenizer.model_max_length, _positions(folder))
    if overlap * 2 > window:
        raise UserError(
            f"prepare.overlap: {overlap} pieces is more than half of the window of {window}; lower it"
        )
    return InputLayout(
        prefix=tuple(full[:before]),
        suffix=tuple(full[before + len(bare) :]),
        pad=tokenizer.pad_token_id,
        unknown=tokenizer.unk_token_id,
        window=window,
        overlap=overlap,
        identity=hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest(),
    )


def _positions(folder: Path) -> int:
    """How many pieces the encoder has positions for; unbounded ones get a large number."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    positions = int(getattr(config, "max_position_embeddings", None) or 1 << 30)
    return positions - (config.pad_token_id + 1 if config.model_type in _OFFSET_POSITIONS else 0)


def _add_prefix_space(backend: Tokenizer) -> None:
    """Have a byte-level tokenizer put a space before each word, as few of their classes do when asked."""
    state = json.loads(backend.to_str())
    steps = state["pre_tokenizer"] or {}
    for step in steps.get("pretokenizers", [steps]):
        if step.get("type") == "ByteLevel" and not step["add_prefix_space"]:
            step["add_prefix_space"] = True
            backend.pre_tokenizer = Tokenizer.from_str(json.dumps(state)).pre_tokenizer
