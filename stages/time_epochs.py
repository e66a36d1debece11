"""Time one epoch of every method."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Params, Scores, Teacher
from stages.command import run
from stages.guard import guarded


def main(
    encoded: Encoded,
    encoder: Encoder,
    teacher: Teacher,
    scores: Scores,
    code: Code,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Measure training in phases: as published, in this pipeline, and the encoder alone."""
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.model.model_folder import load_model
    from pipeline.scores.dump import origin_of
    from pipeline.scores.store import ScoreStore
    from pipeline.storage.sealed_folder import check
    from pipeline.storage.text_file import write_json
    from pipeline.timing.epochs import BERT_BASE_LAYERS, bert_base, epoch_times
    from pipeline.training.loop import reproducible
    from pipeline.training.run import Inputs

    with guarded(
        "time_epochs",
        params,
        code,
        lambda given: (given.task, given.methods, given.student, given.time_epochs),
        out,
    ) as (task, methods, student, settings):
        check(encoder)
        inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
        split = inputs.train.encoded
        store = ScoreStore.open(scores, expect=origin_of(encoded, teacher))
        reproducible(seed=0)
        if settings.shapes == "bert-base":
            live = bert_base(split)
            model = bert_base(split, layers=BERT_BASE_LAYERS, dropout=student.dropout, head=student.head)
        else:
            live = load_model(teacher)
            model = ChainTagger.from_encoder(
                encoder, split, layers=student.layers, dropout=student.dropout, head=student.head
            )
        figures = epoch_times(
            methods, inputs.train, store, live, model, student, settings, inputs.accelerator
        )
        write_json(out, {"task": task} | figures)


if __name__ == "__main__":
    run(main)
