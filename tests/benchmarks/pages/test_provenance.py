"""What made a result is known only where a commit has all of the code, that of the studies too."""

from pathlib import Path

import pytest

from benchmarks.pages.provenance import provenance
from pipeline.errors import UserError
from pipeline.params import load_params
from tests.benchmarks.test_made_with import git
from tests.helpers.params_cases import ROOT


@pytest.mark.parametrize("changed", ["pipeline/code.py", "stages/code.py", "benchmarks/code.py", "dvc.yaml"])
def test_uncommitted_code_is_refused(changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = load_params(ROOT / "params.yaml")
    monkeypatch.chdir(tmp_path)
    for name in (changed, "results/toy.json"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("before")
    git("init", "--quiet", "--template=")
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    Path("results/toy.json").write_text("after")
    assert provenance(params)["commit"] == git("rev-parse", "HEAD")
    Path(changed).write_text("after")
    with pytest.raises(UserError, match="changed since the last commit; commit"):
        provenance(params)
