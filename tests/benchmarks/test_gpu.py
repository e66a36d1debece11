"""benchmarks/gpu.sh keeps the epoch times of its experiments, however often it has run."""

import os
import subprocess
from pathlib import Path

from dvc.repo.experiments.refs import ExpRefInfo

from tests.helpers.dvc_project import WHO
from tests.helpers.pages import ROOT

# As DVC keeps an experiment: a commit that no branch holds, under the commit that it started from.
DVC = """#!/bin/sh -eu
for word in "$@"; do name=$word; done
echo "$name $RUN" > reports/timing.json
git add reports
tree=$(git write-tree)
ref="{ref}/$name"
case " $* " in *" --force "*) ;; *) if git rev-parse --verify --quiet "$ref"; then exit 255; fi ;; esac
git {who} update-ref "$ref" "$(git {who} commit-tree "$tree" -p HEAD -m "$name")"
"""


def git(place: Path, *words: str) -> str:
    return subprocess.run(["git", *WHO, *words], cwd=place, check=True, capture_output=True, text=True).stdout


def test_the_epoch_times_of_the_last_run_are_kept(tmp_path: Path) -> None:
    programs, place = tmp_path / "bin", tmp_path / "project"
    for folder in (programs, place / "reports"):
        folder.mkdir(parents=True)
    (place / "reports" / "timing.json").write_text("of the commit")
    git(place, "init", "--quiet", "--template=")
    git(place, "add", ".")
    git(place, "commit", "--quiet", "--message", "project")
    ref = ExpRefInfo(git(place, "rev-parse", "HEAD").strip())
    for name, text in (("python", "#!/bin/sh\n"), ("dvc", DVC.format(ref=ref, who=" ".join(WHO)))):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    env = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for run in ("1", "2"):
        script = ["sh", str(ROOT / "benchmarks" / "gpu.sh")]
        done = subprocess.run(script, cwd=place, env=env | {"RUN": run}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        for shapes in ("bert-base", "encoder"):
            found = (place / "results" / "gpu" / f"timing-{shapes}.json").read_text()
            assert found == f"gpu-{shapes} {run}\n"
