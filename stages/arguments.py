"""Arguments that several stages take."""

from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[
    Path, typer.Option(envvar="DVC_ROOT", help="The DVC project; checkpoints lie in its folder .ckpt.")
]
Params = Annotated[Path, typer.Option(help="The parameter file.")]
Encoded = Annotated[Path, typer.Option(help="The encoded corpus, from `prepare`.")]
Encoder = Annotated[Path, typer.Option(help="The pretrained encoder, from `download`.")]
Teacher = Annotated[Path, typer.Option(help="The teacher, from `teacher`.")]
StudentEncoder = Annotated[
    Path, typer.Option(help="The students' own encoder, from `download`; empty: the teacher's.")
]
StudentEncoded = Annotated[
    Path,
    typer.Option(
        help="The corpus encoded for the students' own encoder, from `prepare_student`; empty: `encoded`."
    ),
]
Scores = Annotated[Path, typer.Option(help="The teacher's scores, from `dump`.")]
ImportedScores = Annotated[
    Path, typer.Option(help="Scores from elsewhere, from `download`; empty: the teacher's are used.")
]
Text = Annotated[Path, typer.Option(help="Unlabelled text, encoded, from `encode_text`.")]
StudentText = Annotated[
    Path, typer.Option(help="The text encoded for the students' own encoder; empty: `text`.")
]
TextScores = Annotated[Path, typer.Option(help="The teachers' scores of that text, from `dump_text`.")]
Code = Annotated[Path, typer.Option(help="This stage's code, from `fingerprint`.")]
ScoringTeachers = Annotated[
    Path,
    typer.Option(
        help="Teachers with other seeds, from `further_teacher`, and of folds, from `fold_teacher`."
    ),
]
StudentItem = Annotated[str, typer.Option("--item", envvar="DVC_STAGE", help="Which student: METHOD-SEED.")]
TeacherAndFoldItem = Annotated[
    str, typer.Option("--item", envvar="DVC_STAGE", help="Which teacher and fold: TEACHER-FOLD.")
]
FoldItem = Annotated[str, typer.Option("--item", envvar="DVC_STAGE", help="Which fold: FOLD.")]
TeacherItem = Annotated[str, typer.Option("--item", envvar="DVC_STAGE", help="Which teacher: TEACHER.")]
Eval = Annotated[Path, typer.Option("--eval", help="Metrics and tags of the models, from `evaluate`.")]
Mirror = Annotated[
    Path | None,
    typer.Option(
        envvar="CORPUS_MIRROR",
        help="Folder searched before any download: MIRROR/<task>/<file name>.",
    ),
]
