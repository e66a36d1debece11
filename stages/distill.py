"""Distil one student."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Method, Params, Scores, Seed, Teacher
from stages.command import run


def main(
    method: Method,
    seed: Seed,
    encoded: Encoded,
    encoder: Encoder,
    teacher: Teacher,
    scores: Scores,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the student.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Train one student by one method, from the teacher's stored scores and the gold tags."""
    from pipeline.distillation.student_loss import student_loss
    from pipeline.dumping import origin_of
    from pipeline.folder import check
    from pipeline.model import ChainTagger
    from pipeline.params import load_params
    from pipeline.runs import Inputs, train_and_save
    from pipeline.scores import ScoreStore
    from pipeline.training import reproducible

    settings = load_params(params)
    own, student = settings.settings(method), settings.student_of(method)
    check(encoder)
    inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
    reproducible(seed)
    if student.init == "teacher":
        model = ChainTagger.from_teacher(
            teacher, layers=student.layers, dropout=student.dropout, head=student.head
        )
    else:
        model = ChainTagger.from_encoder(
            encoder,
            inputs.train.encoded,
            layers=student.layers,
            dropout=student.dropout,
            head=student.head,
        )
    store = ScoreStore.open(scores, expect=origin_of(encoded, teacher))
    steps = len(inputs.train) * student.epochs
    train_and_save(
        model,
        inputs,
        student_loss(method, own, store, steps=steps, epochs=student.epochs),
        student,
        seed=seed,
        label=f"{method}, seed {seed}",
        made={"method": method, "settings": own.model_dump(mode="json")},
        depends_on=[code, encoder, teacher, scores, own.model_dump()],
        tokenizer=encoder,
        out=out,
    )


if __name__ == "__main__":
    run(main)
