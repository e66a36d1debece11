"""Commit, parameters, versions and date of a run."""

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from benchmarks.git import git
from pipeline.errors import UserError
from pipeline.params import Params

_PACKAGES = ("torch", "transformers", "accelerate", "dvc", "pyarrow", "tokenizers")
_CODE = ("pipeline", "stages", "benchmarks", "dvc.yaml")


def provenance(params: Params) -> dict[str, Any]:
    """Commit, parameters, versions and date of the run in the workspace.

    Raises:
        UserError: this is no git repository, or its code has uncommitted changes, so no commit has what ran.
    """
    if git("status", "--porcelain", "--", *_CODE):
        raise UserError(
            f"{', '.join(_CODE)}: changed since the last commit; commit, `dvc repro`, then keep the results"
        )
    return {
        "commit": git("rev-parse", "HEAD"),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "parameters": params.model_dump(mode="json", exclude={"corpora", "sources"}, serialize_as_any=True)
        | {"corpora": {params.task: params.corpus.model_dump(mode="json", exclude_none=True)}},
    }
