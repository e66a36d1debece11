"""Corpus files → sentences → word pieces."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Encoder, Params
from stages.command import run


def main(
    corpus: Annotated[Path, typer.Option(help="The corpus as fetched, from `download`.")],
    encoder: Encoder,
    out: Annotated[Path, typer.Option(help="Folder to write: train, dev and test as Parquet.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Read and check the corpus, hold development out if it has none, and cut its words into pieces."""
    from pipeline.corpora.corpus_files import read_splits
    from pipeline.corpora.tagging import TagSet
    from pipeline.encoding import encode, save
    from pipeline.folder import check, new_folder
    from pipeline.params import load_params
    from pipeline.tokenization import load_tokenizer, vocabulary_of

    settings = load_params(params)
    check(corpus), check(encoder)
    splits = read_splits(corpus, settings.corpus)
    tag_set = TagSet.from_sentences(splits["train"], splits["dev"], scheme=settings.corpus.scheme)
    tokenizer = load_tokenizer(encoder)
    vocabulary = vocabulary_of(
        tokenizer, encoder, window=settings.prepare.window, overlap=settings.prepare.overlap
    )
    with new_folder(out) as folder:
        for split, sentences in splits.items():
            save(encode(sentences, tokenizer, vocabulary), folder / f"{split}.parquet", tag_set, vocabulary)
    for split, sentences in splits.items():
        print(f"{split}: {len(sentences):,} sentences, {sum(len(s.words) for s in sentences):,} words")


if __name__ == "__main__":
    run(main)
