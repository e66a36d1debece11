"""Tiny random encoders of many kinds as they lie on a disk: weights, configuration, tokenizer."""

import json
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig

from pipeline.encoding.pretrained import encoder_class
from tests.helpers.tiny_corpus import SYLLABLES

LAYERS = 3
POSITIONS = 40


def write_encoder(folder: Path, kind: str, **changes: Any) -> Path:
    """Write an encoder of KINDS or MORE_KINDS with random weights; `changes` go into its config."""
    build, tokenizer_class, special, shape = (KINDS | MORE_KINDS)[kind]
    folder.mkdir(parents=True)
    tokenizer = build(list(special.values()))
    tokenizer.add_special_tokens(list(special.values()))
    first, last = special["cls_token"], special["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = special | {"tokenizer_class": tokenizer_class, "model_max_length": POSITIONS}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    shape = shape | {"vocab_size": tokenizer.get_vocab_size()}
    shape |= {f"{name}_id": tokenizer.token_to_id(token) for name, token in special.items()}
    config = AutoConfig.for_model(kind, **(shape | changes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder_class(config).from_config(config).save_pretrained(folder)
    return folder


def _syllables() -> list[str]:
    return [form for syllable in SYLLABLES for form in (syllable, syllable.capitalize(), syllable.upper())]


def _letters() -> list[str]:
    return sorted({letter for syllable in _syllables() for letter in syllable} | {"."})


def _wordpiece(special: list[str]) -> Tokenizer:
    """As BERT and DistilBERT."""
    plain = _letters() + _syllables()
    vocabulary = special + plain + [f"##{piece}" for piece in plain]
    tokenizer = Tokenizer(models.WordPiece(_numbered(vocabulary), unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _bytes(special: list[str]) -> Tokenizer:
    """As RoBERTa and ModernBERT, which as they are saved see a word at the start as one without a space."""
    merges = [
        pair for syllable in _syllables() for pair in zip(accumulate(syllable), syllable[1:], strict=False)
    ]
    merges += [("Ġ", syllable) for syllable in _syllables()]
    merged = ["".join(pair) for pair in merges]
    vocabulary = special + sorted(pre_tokenizers.ByteLevel.alphabet()) + merged
    tokenizer = Tokenizer(models.BPE(_numbered(vocabulary), list(dict.fromkeys(merges))))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _unigram(special: list[str]) -> Tokenizer:
    """As DeBERTa-v2: sentencepiece's ▁ before words."""
    pieces = ["▁", *_letters(), *_syllables(), *(f"▁{syllable}" for syllable in _syllables())]
    scored = [(piece, 0.0) for piece in special] + [(piece, -10.0 / len(piece)) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=special.index("[UNK]")))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def _numbered(pieces: list[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


_BRACKETS = {
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "mask_token": "[MASK]",
}
_ANGLES = {
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
_WIDE = {
    "hidden_size": 16,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": POSITIONS,
}
_OFFSET = _WIDE | {"max_position_embeddings": POSITIONS + 3}  # positions start behind the padding id, 2
_T5 = {"d_model": 16, "num_layers": LAYERS, "num_heads": 2, "d_kv": 8, "d_ff": 24}
Kind = tuple[Callable[[list[str]], Tokenizer], str, dict[str, str], dict[str, Any]]
KINDS: dict[str, Kind] = {
    "bert": (_wordpiece, "BertTokenizer", _BRACKETS, _WIDE),
    "distilbert": (
        _wordpiece,
        "DistilBertTokenizer",
        _BRACKETS,
        {"dim": 16, "n_layers": LAYERS, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": POSITIONS},
    ),
    "roberta": (_bytes, "RobertaTokenizer", _ANGLES, _WIDE | {"max_position_embeddings": POSITIONS + 3}),
    "deberta-v2": (
        _unigram,
        "DebertaV2Tokenizer",
        _BRACKETS,
        _WIDE
        | {
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 8,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "position_biased_input": False,
        },
    ),
    "modernbert": (
        _bytes,
        "PreTrainedTokenizerFast",
        _BRACKETS,
        _WIDE | {"global_attn_every_n_layers": 2, "local_attention": 8},
    ),
}

_ANY = "PreTrainedTokenizerFast"
MORE_KINDS: dict[str, Kind] = {
    "albert": (_unigram, _ANY, _BRACKETS, _WIDE | {"embedding_size": 8}),
    "big_bird": (_unigram, _ANY, _BRACKETS, _WIDE | {"attention_type": "original_full"}),
    "camembert": (_unigram, _ANY, _ANGLES | {"unk_token": "[UNK]"}, _OFFSET),
    "data2vec-text": (_bytes, _ANY, _ANGLES, _OFFSET),
    "deberta": (_bytes, _ANY, _BRACKETS, _WIDE | {"relative_attention": True, "pos_att_type": ["p2c"]}),
    "electra": (_wordpiece, _ANY, _BRACKETS, _WIDE | {"embedding_size": 8}),
    "ernie": (_wordpiece, _ANY, _BRACKETS, _WIDE),
    "eurobert": (_bytes, _ANY, _ANGLES, _WIDE | {"num_key_value_heads": 2, "head_dim": 8}),
    "gte": (_wordpiece, _ANY, _BRACKETS, _WIDE),
    "ibert": (_bytes, _ANY, _ANGLES, _OFFSET),
    "jina_embeddings_v3": (_unigram, _ANY, _BRACKETS, _WIDE),
    "layoutlm": (_wordpiece, _ANY, _BRACKETS, _WIDE),
    "longformer": (_bytes, _ANY, _ANGLES, _OFFSET | {"attention_window": [4] * LAYERS}),
    "luke": (_bytes, _ANY, _ANGLES, _OFFSET | {"entity_vocab_size": 10, "entity_emb_size": 8}),
    "megatron-bert": (_wordpiece, _ANY, _BRACKETS, _WIDE),
    "mpnet": (_wordpiece, _ANY, _ANGLES | {"unk_token": "[UNK]"}, _OFFSET),
    "mt5": (_unigram, _ANY, _BRACKETS, _T5),
    "nomic_bert": (_wordpiece, _ANY, _BRACKETS, _WIDE),
    "rembert": (_unigram, _ANY, _BRACKETS, _WIDE | {"input_embedding_size": 8}),
    "roberta-prelayernorm": (_bytes, _ANY, _ANGLES, _OFFSET),
    "roformer": (_wordpiece, _ANY, _BRACKETS, _WIDE),
    "squeezebert": (_wordpiece, _ANY, _BRACKETS, _WIDE | {"embedding_size": 16}),
    "t5": (_unigram, _ANY, _BRACKETS, _T5),
    "umt5": (_unigram, _ANY, _BRACKETS, _T5),
    "xlm-roberta": (_unigram, _ANY, _ANGLES | {"unk_token": "[UNK]"}, _OFFSET),
    "xlm-roberta-xl": (_unigram, _ANY, _ANGLES | {"unk_token": "[UNK]"}, _OFFSET),
    "xlnet": (_unigram, _ANY, _BRACKETS, {"d_model": 16, "n_layer": LAYERS, "n_head": 2, "d_inner": 24}),
    "xmod": (
        *(_unigram, _ANY, _ANGLES | {"unk_token": "[UNK]"}),
        _OFFSET | {"languages": ["en_XX"], "default_language": "en_XX"},
    ),
}
"""More kinds that tests of encoders alone take; KINDS are those that every test of the pipeline takes."""
