"""Distil one student."""

from pathlib import Path
from typing import Annotated

import typer

from stages.arguments import Code, Encoded, Encoder, Method, Params, Scores, Seed, Teacher, Unlabelled
from stages.command import run


def main(
    method: Method,
    seed: Seed,
    encoded: Encoded,
    encoder: Encoder,
    teacher: Teacher,
    scores: Scores,
    unlabelled: Unlabelled,
    code: Code,
    out: Annotated[Path, typer.Option(help="Folder to write: the student.")],
    params: Params = Path("params.yaml"),
) -> None:
    """Train one student by one method, from the teacher's stored scores and the gold tags."""
    from pipeline.model.chain_tagger import ChainTagger
    from pipeline.params import load_params
    from pipeline.storage.sealed_folder import check
    from pipeline.training.loop import reproducible
    from pipeline.training.run import Inputs, train_and_save
    from pipeline.training.student_inputs import student_inputs
    from pipeline.training.student_settings import student_settings

    given = load_params(params)
    own = given.settings(method)
    student = student_settings(given.student, own)
    check(encoder)
    inputs = Inputs.load(encoded, batch_size=student.batch_size, precision=student.precision)
    reproducible(seed)
    shape = student.model_dump(include={"layers", "dropout", "head"})
    if student.init == "teacher":
        model = ChainTagger.from_teacher(teacher, **shape)
    else:
        model = ChainTagger.from_encoder(encoder, inputs.train.encoded, **shape)
    inputs, loss = student_inputs(method, own, student, inputs, teacher, scores, unlabelled)
    train_and_save(
        model,
        inputs,
        loss,
        student,
        seed=seed,
        method=method,
        method_settings=own.model_dump(mode="json"),
        depends_on=[code, encoder, teacher, scores, unlabelled],
        tokenizer=encoder,
        out=out,
    )


if __name__ == "__main__":
    run(main)
