"""Fine-tune the teacher."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Params, Root
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    encoder: Encoder,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the teacher.")],
    params: Params = Path("params.yaml"),
    root: Root = Path(),
) -> None:
    """Train encoder, emission layer and CRF, if it has one, on the gold tags."""
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.storage.sealed_folder import check
    from pipeline.training.loop import gold_loss, reproducible
    from pipeline.training.run import Inputs, train_and_save

    with guarded("teacher", params, code, lambda given: given.teacher, out) as settings:
        check(encoder)
        inputs = Inputs.load(encoded, batch_size=settings.batch_size, precision=settings.precision)
        reproducible(settings.seed)
        model = ChainTagger.from_encoder(
            encoder, inputs.train.encoded, dropout=settings.dropout, head=settings.head
        )
        train_and_save(
            model,
            inputs,
            gold_loss,
            settings,
            seed=settings.seed,
            method="teacher",
            method_settings={},
            depends_on=[code, encoder],
            tokenizer=encoder,
            root=root,
            out=out,
        )


if __name__ == "__main__":
    run(main)
