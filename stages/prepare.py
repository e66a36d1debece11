"""Corpus files → sentences → word pieces."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Params
from stages.command import run


def main(
    corpus: Annotated[Path | None, typer.Option(help="The corpus as fetched, from `download`.")] = None,
    encoder: Annotated[Path | None, typer.Option(help="The pretrained encoder, from `download`.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write: train, dev and test as Parquet.")] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Only say what this file, read as the task's are, holds and all that is wrong with it; "
            "status 1 if anything is. Needs no other option.",
        ),
    ] = None,
    params: Params = Path("params.yaml"),
) -> None:
    """Read and check the corpus, hold development out if it has none, and cut its words into pieces."""
    from pipeline.params import load_params

    settings = load_params(params)
    if check:
        from pipeline.encoding.corpus_check import look_at, report

        findings = look_at(check, settings.corpus)
        print(*report(findings, encoder, usual=Path("data/encoder")), sep="\n")
        raise typer.Exit(int(bool(findings.problems)))
    if not (corpus and encoder and out):
        raise typer.BadParameter("--corpus, --encoder and --out are needed, or --check")
    from pipeline.corpora.splits import read_splits
    from pipeline.corpora.tagging import TagSet
    from pipeline.encoding.encoded import encode, save
    from pipeline.encoding.tokenization import input_layout, load_tokenizer
    from pipeline.model.encoder_check import check_encoder
    from pipeline.storage.sealed_folder import check as intact
    from pipeline.storage.sealed_folder import new_folder

    intact(corpus), intact(encoder)
    splits = read_splits(corpus, settings.corpus)
    tag_set = TagSet.from_sentences(splits["train"], splits["dev"], scheme=settings.corpus.scheme)
    tokenizer = load_tokenizer(encoder)
    layout = input_layout(tokenizer, encoder, **settings.prepare.model_dump())
    check_encoder(encoder, layout)
    with new_folder(out) as folder:
        for split, sentences in splits.items():
            save(encode(sentences, tokenizer, layout), folder / f"{split}.parquet", tag_set, layout)
    for split, sentences in splits.items():
        print(f"{split}: {len(sentences):,} sentences, {sum(len(s.words) for s in sentences):,} words")


if __name__ == "__main__":
    run(main)
