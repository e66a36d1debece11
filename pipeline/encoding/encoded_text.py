"""Text without tags as word pieces, some thousand sentences at a time."""

from pathlib import Path

from pipeline.corpora.text_shards import read_shards
from pipeline.encoding.encoded import encode_words, load, save_stream
from pipeline.encoding.tokenization import load_tokenizer, tokenizer_identity
from pipeline.errors import UserError
from pipeline.storage.sealed_folder import check, new_folder

TEXT = "text.parquet"


def encode_text(text: Path, out: Path, *, encoder: Path, encoded: Path) -> None:
    """Write the sentences of a text as a split without tags to `out`.

    Without text or without an encoder, `out` is sealed empty.

    Args:
        text: what the stage `text` wrote.
        out: the folder to write.
        encoder: whose tokenizer cuts the words.
        encoded: a corpus that was encoded with it, whose layout and tag set the split gets.

    Raises:
        UserError: a folder is damaged, or the corpus was encoded with another tokenizer.
    """
    if not check(text) or not check(encoder):
        with new_folder(out):
            return
    check(encoded)
    header = load(encoded / "train.parquet")
    tokenizer = load_tokenizer(encoder)
    if tokenizer_identity(tokenizer) != header.layout.identity:
        raise UserError(f"{encoded}: was encoded with another tokenizer than {encoder} has; run `dvc repro`")
    with new_folder(out) as folder:
        tables = (encode_words(words, tokenizer, header.layout) for words in read_shards(text))
        save_stream(tables, folder / TEXT, header.tag_set, header.layout)
