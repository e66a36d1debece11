"""Every kind of tokenizer gives what the batches need, and one that cannot says so."""

import json
import shutil

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from pipeline.encoding.settings import Prepare
from pipeline.encoding.tokenization import _add_prefix_space, input_layout, load_tokenizer
from pipeline.errors import UserError
from tests.helpers.tiny_encoders import KINDS, POSITIONS, write_encoder

kinds = pytest.mark.parametrize("kind", KINDS)
WORDS = ["ba", "neba", "TOK", "Rilum.", "zzz"]


def pieces(tokenizer, word):
    return tokenizer.convert_ids_to_tokens(tokenizer(word, add_special_tokens=False)["input_ids"])


@kinds
def test_a_word_alone_is_read_as_in_the_middle_of_a_sentence(kind, encoder):
    """WordPiece needs no space for that; the other vocabularies see one before each word."""
    tokenizer = load_tokenizer(encoder(kind))
    alone = [piece for word in WORDS for piece in pieces(tokenizer, word)]
    joined = pieces(tokenizer, "ba " + " ".join(WORDS))

    assert joined[len(pieces(tokenizer, "ba")) :] == alone
    space = {"roberta": "Ġ", "modernbert": "Ġ", "deberta-v2": "▁"}.get(kind, "")
    assert pieces(tokenizer, "ba") == [f"{space}ba"]


@kinds
def test_vocabulary_has_the_special_pieces_and_the_window(kind, encoder):
    folder = encoder(kind)
    tokenizer = load_tokenizer(folder)
    layout = input_layout(tokenizer, folder, Prepare(window=512, overlap=6))

    special = KINDS[kind][2]
    names = tokenizer.convert_ids_to_tokens([*layout.prefix, *layout.suffix])
    assert names == [special["cls_token"], special["sep_token"]]
    assert tokenizer.convert_ids_to_tokens([layout.pad]) == [special["pad_token"]]
    assert tokenizer.convert_ids_to_tokens([layout.unknown]) == [special["unk_token"]]
    assert layout.window == POSITIONS
    assert input_layout(tokenizer, folder, Prepare(window=24, overlap=6)).window == 24


@kinds
def test_a_tokenizer_saved_with_a_tagger_is_the_same(kind, encoder, tmp_path):
    folder = encoder(kind)
    load_tokenizer(folder).save_pretrained(tmp_path)

    again = input_layout(load_tokenizer(tmp_path), folder, Prepare(window=512, overlap=6))

    assert again == input_layout(load_tokenizer(folder), folder, Prepare(window=512, overlap=6))
    assert pieces(load_tokenizer(tmp_path), "neba") == pieces(load_tokenizer(folder), "neba")


def test_another_vocabulary_has_another_identity(encoder, tmp_path):
    folder = shutil.copytree(encoder("bert"), tmp_path / "bert")
    before = input_layout(load_tokenizer(folder), folder, Prepare(window=512, overlap=6)).identity
    text = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(text.replace('"##tok"', '"##kot"'))

    assert input_layout(load_tokenizer(folder), folder, Prepare(window=512, overlap=6)).identity != before


def test_the_window_is_what_the_encoder_has_positions_for(tmp_path):
    """RoBERTa's positions start behind its padding id (2 here)."""
    folder = write_encoder(tmp_path / "roberta", "roberta", max_position_embeddings=20)
    assert input_layout(load_tokenizer(folder), folder, Prepare(window=512, overlap=6)).window == 17


def test_an_overlap_larger_than_half_the_window_is_refused(bert):
    with pytest.raises(UserError, match=r"prepare\.overlap: 21 pieces is more than half of the window of 40"):
        input_layout(load_tokenizer(bert), bert, Prepare(window=512, overlap=21))


def test_a_folder_without_a_tokenizer_is_refused(bert, tmp_path):
    shutil.copy(bert / "config.json", tmp_path)
    with pytest.raises(UserError, match=f"{tmp_path}: no usable tokenizer") as caught:
        load_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_without_padding_is_refused(bert, tmp_path):
    folder = shutil.copytree(bert, tmp_path / "bert")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings |= {"pad_token": None, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match="no unknown or no padding token"):
        load_tokenizer(folder)


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
@pytest.mark.parametrize("mark", ["\u200e", "\u200f", "\u00ad", "\ufeff", "\u2066"])
def test_a_mark_in_a_word_changes_no_piece(kind, mark, encoder):
    tokenizer = load_tokenizer(encoder(kind))
    for word in WORDS:
        assert pieces(tokenizer, mark + word) == pieces(tokenizer, word)


def split_and_bytes() -> Tokenizer:
    """The form of Llama 3's tokenizer: words are split, and each part becomes bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    split = pre_tokenizers.Split(Regex(r" ?\p{L}+| ?[^\s\p{L}]+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    return tokenizer


def marked_spaces() -> Tokenizer:
    """The form of Gemma's: a mark takes the place of each space, and no step puts a space before a word."""
    vocabulary = [("<unk>", 0.0), *((piece, -1.0) for piece in ("\u2581U", "U", ".", "S", "\u2581"))]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    return tokenizer


@pytest.mark.parametrize("make", [split_and_bytes, marked_spaces])
def test_a_word_stands_behind_one_space_however_the_tokenizer_is_built(make):
    expected = make().encode(" U.S.").tokens
    assert expected != make().encode("U.S.").tokens
    tokenizer = make()
    for _ in range(2):  # a tokenizer that was saved with a tagger is loaded so, too
        _add_prefix_space(tokenizer)
        assert tokenizer.encode("U.S.").tokens == expected
