"""Whether params.yaml still says what DVC's last run was made with, as far as a model card tells it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import UserError, one_line
from pipeline.storage.yaml_file import read_yaml

_MOST = 10**7  # values of a dvc.lock
_FREE = ("licence", "language")  # of a corpus: may be edited after a run
_STAGES = (
    "download@corpus",
    "download@encoder",
    "download@student_encoder",
    "text",
    "encode_text",
    "teacher",
)


def check_last_run(params: Path, student: str, scored_by: str) -> None:
    """Refuse parameters that differ from those of the last run, and metrics of a teacher of before.

    The dvc.lock beside `params` says what these were. Without it, as where a student was copied to another
    machine, nothing is compared. The student's own settings are not: its folder has them (see `read_run`).

    Args:
        params: the file params.yaml.
        student: METHOD-SEED, as DVC names the items of `evaluate`.
        scored_by: TEACHER-FOLD, an item of `dump`.

    Raises:
        UserError: naming the first parameter that differs.
    """
    lock = params.with_name("dvc.lock")
    if not lock.is_file():
        return
    tree = read_yaml(lock, limit=_MOST)
    stages = tree.get("stages") if isinstance(tree, dict) else None
    if not isinstance(stages, dict):
        raise UserError(f"{lock}: holds no stages; run `dvc repro`")
    now = read_yaml(params)
    for name, before, after in _changed_parameters(stages, now, f"dump@{scored_by}", f"evaluate@{student}"):
        if not _is_free(name, now):
            raise UserError(
                f"{params}: {name} is {_shown(after)}, but was {_shown(before)} in the last run ({lock}); "
                "give the params.yaml of the student's run with --params, or run `dvc repro`"
            )
    made, scored = _teacher(stages, "teacher", "outs"), _teacher(stages, "evaluate_teacher", "deps")
    if made and scored and made != scored:
        raise UserError(
            "data/teacher: was trained again after it was evaluated; run `dvc repro evaluate_teacher`"
        )


def _teacher(stages: Any, stage: str, of: str) -> str | None:
    """The checksum of data/teacher among a stage's `outs` or `deps`, if the stage ran."""
    return {item["path"]: item.get("md5") for item in stages.get(stage, {}).get(of, ())}.get("data/teacher")


def _changed_parameters(stages: Any, now: Any, *items: str) -> Iterator[tuple[str, Any, Any]]:
    """`_differences` of all parameters of _STAGES and `items`, as far as these ran."""
    for stage in (*_STAGES, *items):
        ran = stages.get(stage, {}).get("params", {}).get("params.yaml", {})
        for key, before in ran.items():
            yield from _differences(key, before, _value(now, key))


def _value(tree: Any, key: str) -> Any:
    """What `key`, GROUP.NAME, has in params.yaml; None if it is not there."""
    for part in key.split(".", 1):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _differences(key: str, before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Key, value in the last run and value now of each entry that differs; one that is missing is None."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*before, *now)):
            yield from _differences(f"{key}.{name}", before.get(name), now.get(name))
    elif before != now:
        yield key, before, now


def _is_free(name: str, now: Any) -> bool:
    """Whether a card does not tell this parameter, or it may be edited: a source that is not taken, too."""
    group, *rest = name.split(".")
    if group == "sources":
        taken = (_value(now, "teacher.encoder"), _value(now, "teacher.model"), _value(now, "student.encoder"))
        return not any(isinstance(one, str) and f"{name}.".startswith(f"sources.{one}.") for one in taken)
    return group == "corpora" and rest[-1] in _FREE


def _shown(value: Any) -> str:
    return "empty" if value is None else one_line(value)
