from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytest.importorskip("pycrfsuite", reason="benchmarks/requirements.txt brings it")

from benchmarks.taggers.crfsuite_scores import write_probabilities
from pipeline.corpora.tagging import Sentence


def test_a_tagger_scores_only_sentences_that_it_has_not_seen(tmp_path: Path) -> None:
    even, odd = Sentence(("Rome", "fell"), ("B-LOC", "O")), Sentence(("Rome", "fell"), ("O", "O"))
    write_probabilities([even, odd] * 20, tmp_path / "scores.parquet")
    rows = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    assert [row["words"] for row in rows] == [["Rome", "fell"]] * 40
    for row in rows:
        for word in row["probabilities"]:
            assert sum(value or 0.0 for value in word.values()) == pytest.approx(1, abs=1e-6)
    # The tagger of the even sentences has seen the odd ones alone, where Rome is no location.
    of_rome = [row["probabilities"][0].get("B-LOC") or 0.0 for row in rows]
    assert max(of_rome[:20]) < 0.1
    assert min(of_rome[20:]) > 0.9
