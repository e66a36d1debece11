"""`fingerprint` writes the hash of every stage's code, or names what is wrong."""

from pathlib import Path

from ruamel.yaml import YAML

from stages import fingerprint
from tests.helpers.own_corpus_stages import COMMANDS, ROOT, TREE, Run, one_line


def test_fingerprint_writes_a_file_for_every_stage(run: Run, place: Path) -> None:
    assert run(fingerprint.main, "--out", "digests", "--root", ROOT) == (0, "", "")
    files = {str(path.relative_to("digests")) for path in Path("digests").rglob("*") if path.is_file()}
    assert files >= set(COMMANDS) - {"distill"} | {"distill/kbest"}
    assert all(len((Path("digests") / file).read_text().strip()) == 64 for file in files)
    assert "holds no stages" in one_line(run(fingerprint.main, "--out", "other"))


def test_fingerprint_refuses_a_method_that_does_not_exist(run: Run, place: Path) -> None:
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(TREE | {"methods": ["kbst"]}, file)
    told = one_line(run(fingerprint.main, "--out", "digests", "--root", ROOT))
    assert "methods: there is no 'kbst'; choose one of " in told
    assert not Path("digests").exists()
