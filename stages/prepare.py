"""Corpus files → sentences → word pieces."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Mirror, Params
from stages.check_corpus import check_corpus
from stages.command import run
from stages.guard import guarded


def main(
    file: Annotated[Path | None, typer.Argument(exists=True, help="With --check: only this file.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="The corpus as fetched, from `download`.")] = None,
    encoder: Annotated[Path | None, typer.Option(help="The pretrained encoder, from `download`.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write: train, dev and test as Parquet.")] = None,
    code: Annotated[Path | None, typer.Option(help="This stage's code, from `fingerprint`.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only report; status 1 on a problem.")] = False,
    mirror: Mirror = None,
    params: Params = Path("params.yaml"),
) -> None:
    """Read and check the corpus, hold development out if it has none, and split words into word pieces."""
    if check:
        check_corpus(file, params, encoder=encoder, mirror=mirror)
    if file or not (corpus and encoder and out and code):
        raise typer.BadParameter("--corpus, --encoder, --out and --code are needed, or --check")
    from pipeline.corpora.splits import read_splits
    from pipeline.encoding.encode_split import encode_split
    from pipeline.encoding.tokenization import input_layout, load_tokenizer
    from pipeline.model.encoder_check import check_encoder
    from pipeline.model.tags_to_learn import tags_to_learn
    from pipeline.storage import sealed_folder
    from pipeline.storage.scratch import scratch_folder

    uses = lambda given: (given.corpus, given.prepare, given.teacher_labels)
    with guarded("prepare", params, code, uses, out) as (source, cut, labels), scratch_folder() as aside:
        sealed_folder.check(corpus)
        sealed_folder.check(encoder)
        splits = read_splits(corpus, source, aside)
        tag_set = tags_to_learn(splits, source.scheme, encoder, *labels)
        tokenizer = load_tokenizer(encoder)
        layout = input_layout(tokenizer, encoder, cut)
        check_encoder(encoder, layout)
        with sealed_folder.new_folder(out) as folder:
            for name, split in splits.items():
                encode_split(split, tokenizer, folder / f"{name}.parquet", tag_set, layout)
                print(f"{name}: {len(split):,} sentences, {sum(len(one.words) for one in split):,} words")


if __name__ == "__main__":
    run(main)
