"""Whether params.yaml still says what DVC's last run was made with, as far as a model card tells it."""

import json
from pathlib import Path
from typing import Any

from pipeline.corpora.settings import Files
from pipeline.errors import UserError, one_line
from pipeline.storage.yaml_file import read_yaml
from pipeline.training.settings import Teacher

_MOST = 10**7  # values of a dvc.lock


def check_last_run(params: Path, *, task: str, files: Files, teacher: Teacher) -> None:
    """Refuse parameters with another task, corpus or teacher than the last run had.

    The dvc.lock beside `params` says that. Without it, as where a student was copied to another machine,
    nothing is compared. Licence and language may be edited after a run.

    Args:
        params: the file params.yaml.
        task, teacher: as it has them.
        files: of the task's corpus.

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
    ran: dict[str, Any] = {}
    for stage in ("download@corpus", "teacher"):
        ran |= stages.get(stage, {}).get("params", {}).get("params.yaml", {})
    for key, before, now in _pairs(ran, task, files, teacher):
        if before != now:
            raise UserError(
                f"{params}: {key} is {one_line(now)}, but in the last run ({lock}) {one_line(before)}; "
                "give the params.yaml of the student's run with --params, or run `dvc repro`"
            )


def _pairs(ran: dict[str, Any], task: str, files: Files, teacher: Teacher) -> list[tuple[str, Any, Any]]:
    """What is compared: key, value in the last run, and value now."""
    pairs: list[tuple[str, Any, Any]] = [("task", ran["task"], task)] if "task" in ran else []
    if (entry := f"corpora.{task}") in ran:
        fetched = Files.model_validate_json(json.dumps(ran[entry]["files"]))
        pairs.append((f"{entry}.files", fetched, files))
    before, now = ran.get("teacher", {}), teacher.model_dump(mode="json")
    return pairs + [(f"teacher.{key}", before[key], now[key]) for key in before if key in now]
