"""Whether the students of a run can be made and trained; found out before a teacher is trained for hours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.corpora.schemes import FileScheme
from pipeline.device import is_bfloat16
from pipeline.distillation.settings import Settings
from pipeline.encoding.pretrained import read_config
from pipeline.encoding.split_file import load, read_column
from pipeline.model import token_classifier
from pipeline.model.encoder import load_encoder
from pipeline.model.first_layers import check_embedding_width, check_first_layers
from pipeline.model.given_teacher import head_of, read_order
from pipeline.model.precision_check import check_bfloat16
from pipeline.model.student_head import check_start
from pipeline.scores.dump import origin_of
from pipeline.scores.imported import import_scores
from pipeline.scores.settings import Dump
from pipeline.settings import Head, Precision
from pipeline.storage.scratch import scratch_folder
from pipeline.training.student_settings import check_transitions


def check_heads(
    methods: Mapping[str, Settings],
    student: Head,
    teacher: Head | None,
    labels: tuple[Mapping[str, str | None], FileScheme | None],
    *,
    encoder: Path,
    student_encoder: Path,
    encoded: Path,
    imported: bool,
) -> None:
    """Check that the students' head fits their encoder, their teacher and their methods; nothing is loaded.

    Args:
        methods: their settings, in which `init` says what a student of the method starts from.
        student: the students' head.
        teacher: the teacher's; None: it is not trained here, but the model in `encoder`.
        labels: `types` and `scheme` of such a teacher, see `given_teacher`.
        encoder: the folder of the teacher's encoder, or of the teacher.
        student_encoder: the folder of the students' encoder.
        encoded: the encoded corpus.
        imported: whether the scores are from elsewhere, and not the teacher's.

    Raises:
        UserError: it does not; or the teacher's labels do not become the corpus's tags.
    """
    shape = token_classifier.shape_of(read_config(student_encoder).to_dict())
    if student == "softmax":
        token_classifier.has_projection(shape)  # or the encoder has no such head
    head = head_of(encoder) if teacher is None else teacher
    if any(settings.init == "teacher" for settings in methods.values()):
        converts = teacher is None and not _has_the_tags(encoder, encoded, *labels)
        check_start(shape, teacher=head, student=student, converts=converts)
    if head == "crf" and not imported:
        for method, settings in methods.items():
            check_transitions(method, settings, student)


def _has_the_tags(
    teacher: Path, encoded: Path, types: Mapping[str, str | None], scheme: FileScheme | None
) -> bool:
    """Whether each label of the teacher is one tag of the corpus."""
    _, order = read_order(teacher, load(encoded / "train.parquet").tag_set, types=types, scheme=scheme)
    return order is not None


def check_imported_scores(folder: Path, split: Path, settings: Dump) -> None:
    """Check that scores from elsewhere can be stored, by storing them once in a scratch folder.

    Args:
        folder: of the scores.
        split: the encoded sentences that they are of.
        settings: of the dump that will store them.

    Raises:
        UserError: as `import_scores`.
    """
    with scratch_folder() as scratch:
        import_scores(
            folder,
            read_column(split, "words"),
            settings,
            origin=origin_of(split, folder),
            checkpoint=scratch / "checkpoint",
            out=scratch / "scores",
        )


def check_encoders(
    shape: tuple[str, int, int],
    precisions: Mapping[str, Precision],
    *,
    encoder: Path,
    student_encoder: Path,
) -> None:
    """Check that the encoders are large enough for the students and can be computed in their precisions.

    Each folder is loaded once, the teacher's only if a precision of it has to be tried.

    Args:
        shape: the students' network, layers of a transformer, and width of a BiLSTM's embeddings.
        precisions: by its key, each in which an encoder of the run is computed.
        encoder: the folder of the teacher's encoder.
        student_encoder: the folder of the students' encoder.

    Raises:
        UserError: one cannot be loaded, is too small, or cannot be computed in bfloat16 where it would be.
    """
    network, layers, width = shape
    loaded: dict[Path, Any] = {student_encoder: load_encoder(student_encoder).eval()}
    if network == "bilstm":
        check_embedding_width(loaded[student_encoder], width, student_encoder)
    else:
        check_first_layers(loaded[student_encoder], layers, student_encoder)
    students = [] if network == "bilstm" else [student_encoder]  # a BiLSTM computes nothing of it
    computed = {
        "teacher.precision": [encoder],
        "dump.precision": [encoder],
        "student.precision": students,
        "evaluate.precision": [encoder, *students],
    }
    for key, precision in precisions.items():
        for folder in computed[key] if is_bfloat16(precision) else []:
            if folder not in loaded:
                loaded[folder] = load_encoder(folder).eval()
            check_bfloat16(loaded[folder], folder, key)
