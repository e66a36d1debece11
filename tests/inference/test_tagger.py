"""A tagger gives what the evaluating stage gives, from raw text, in order, with spans and confidence."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from huggingface_hub.utils import filter_repo_objects

from pipeline.corpora.schemes import to_iob2
from pipeline.corpora.tagging import Sentence, TagSet, spans
from pipeline.corpora.words import Text
from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load as load_split
from pipeline.errors import UserError
from pipeline.inference import tagger as module
from pipeline.inference.tagger import Tagger, load
from pipeline.model.model_folder import load_model
from pipeline.model.prediction import predict
from pipeline.storage.sealed_folder import SEAL
from tests.helpers.brute_force import BruteForce
from tests.helpers.tiny_corpus import TAG_SET, sentences

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tagger(teacher: Path) -> Tagger:
    return load(teacher)


def test_the_tags_are_those_of_the_pipeline(tagger: Tagger, teacher: Path, corpus: Path) -> None:
    path = corpus / "test.parquet"
    expected = predict(load_model(teacher), Batches(load_split(path), 3), accelerator("float32"))
    words = pq.read_table(path, columns=["words"])["words"].to_pylist()
    assert [list(tagged.tags) for tagged in tagger(words)] == expected
    assert [list(tagged.tags) for tagged in tagger([" ".join(sentence) for sentence in words])] == expected


def test_marginals_are_those_of_all_tag_sequences(tagger: Tagger, teacher: Path, corpus: Path) -> None:
    split = load_split(corpus / "test.parquet")
    words = pq.read_table(corpus / "test.parquet", columns=["words"])["words"].to_pylist()
    model, batches = load_model(teacher).eval(), Batches(split, 1)
    short = [row for row, sentence in enumerate(words) if len(sentence) <= 5]
    assert len(short) > 2
    found = list(tagger.marginals([words[short[0]], [], *(words[row] for row in short[1:])]))
    assert found.pop(1).shape == (0, len(tagger.tags))
    for row, marginals in zip(short, found, strict=True):
        with torch.inference_mode():
            chain = model.chain(batches.collate(torch.tensor([row])))
        every = BruteForce(chain.emissions[0], model.transitions, model.start, model.end)
        torch.testing.assert_close(torch.from_numpy(marginals), every.moments()[0].float())


def test_marginals_of_constrained_tags_leave_out_what_the_scheme_forbids(teacher: Path) -> None:
    found = next(load(teacher, constrained=True).marginals([["ba", "neri", "tok"]]))
    inside = [place for place, tag in enumerate(TAG_SET.tags) if tag.startswith("I-")]
    assert not found[0, inside].any()
    assert found.sum(1) == pytest.approx([1, 1, 1])


def test_spans_stand_where_their_text_is(tagger: Tagger) -> None:
    texts = ["  ba NERI,Tok  ( lum-Sa ) vel. ", *(" ".join(s.words) for s in sentences(20, seed=5))]
    found = tagger(texts)
    assert [tagged.text for tagged in found] == texts
    assert sum(len(tagged.spans) for tagged in found) > 20
    for tagged in found:
        assert [tagged.text[start:end] for start, end in tagged.offsets] == list(tagged.words)
        expected = sorted(
            (tagged.offsets[first][0], tagged.offsets[after - 1][1], kind)
            for kind, first, after in spans(tagged.tags, scheme="iob2")
        )
        assert [(span.start, span.end, span.type) for span in tagged.spans] == expected
        assert all(span.text == tagged.text[span.start : span.end] for span in tagged.spans)
        assert all(0 < span.confidence <= 1 for span in tagged.spans)


def test_order_and_chunks_change_nothing(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["", *(" ".join(s.words) for s in sentences(30, seed=6)), "ba " * 90, " \t", "NE RI"]
    expected = [tagged for text in texts for tagged in tagger([text])]
    assert [tagged.text for tagged in expected] == texts
    assert (expected[0].words, expected[0].tags, expected[0].spans) == ((), (), ())
    for at_once, characters, words in (
        (7, 10_000, 999),
        (1024, 60, 999),
        (1024, 10_000, 20),
        (1024, 9999, 999),
    ):
        monkeypatch.setattr(module, "CHUNK_CHARACTERS", characters)
        monkeypatch.setattr(module, "CHUNK_WORDS", words)
        found = list(tagger.stream(texts, at_once=at_once))
        assert [(one.text, one.tags) for one in found] == [(one.text, one.tags) for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert [span.confidence for span in one.spans] == pytest.approx(
                [span.confidence for span in other.spans], abs=1e-4
            )


def test_a_stream_holds_one_chunk(tagger: Tagger) -> None:
    taken = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(1)
            yield "ba NE"

    stream = tagger.stream(endless(), at_once=5)
    for count, _ in zip(range(1, 12), stream, strict=False):
        assert len(taken) <= -(-count // 5) * 5


@pytest.mark.parametrize(("name", "most"), [("CHUNK_WORDS", 40), ("CHUNK_CHARACTERS", 80)])
def test_a_chunk_has_a_largest_number_of_words_and_of_characters(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    sizes: list[int] = []
    encode = module.encode

    def counting(texts: Sequence[Sentence], *rest: Any) -> Any:
        sizes.append(len(texts))
        return encode(texts, *rest)

    monkeypatch.setattr(module, name, most)
    monkeypatch.setattr(module, "encode", counting)
    assert len(tagger(["! " * 15] * 10)) == 10
    assert sizes == [3, 3, 3, 1]


def test_constrained_tags_keep_to_the_scheme(teacher: Path, tagger: Tagger) -> None:
    texts = [" ".join(s.words) for s in sentences(60, seed=8)]
    free, bound = tagger(texts), load(teacher, constrained=True)(texts)
    broken = [bool(to_iob2(tagged.tags, "iob2")[1]) for tagged in free]
    assert 5 < sum(broken) < 60
    for one, other, breaks in zip(free, bound, broken, strict=True):
        assert not to_iob2(other.tags, "iob2")[1]
        assert breaks or one.tags == other.tags
        assert all(0 < span.confidence <= 1 for span in other.spans)


@pytest.mark.parametrize("source", ["org/name", "org/name@v2"])
def test_a_hub_id_is_fetched(
    source: str, teacher: Path, tagger: Tagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def snapshot(
        repo: str,
        *,
        revision: str | None,
        allow_patterns: list[str],
        dry_run: bool = False,
        **options: object,
    ) -> str | list[str]:
        if dry_run:
            return []
        asked.append((repo, revision))
        folder = tmp_path / "snapshot"
        folder.mkdir()
        for name in filter_repo_objects(
            [file.name for file in teacher.iterdir()], allow_patterns=allow_patterns
        ):
            shutil.copy(teacher / name, folder)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    texts = ["ba NERI, Tok sa."]
    assert load(source)(texts) == tagger(texts)
    assert asked == [("org/name", "v2" if "@" in source else None)]


def test_a_folder_that_is_missing_is_not_looked_for_on_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for source in ("data/teacher", "teacher", str(tmp_path / "name"), "../teacher"):
        with pytest.raises(UserError, match="no such folder"):
            load(source)


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(UserError, match=r"^org/name: neither a path here nor a hub model .*no route to host"):
        load("org/name")


def test_a_document_longer_than_the_window_keeps_every_word(tagger: Tagger) -> None:
    words = [word for sentence in sentences(120, seed=7) for word in sentence.words]
    (tagged,) = tagger([words])
    assert len(tagged.tags) == len(words) > 500


def test_a_word_longer_than_the_window_is_nothing_to_warn_of(
    teacher: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("transformers")
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "level", logging.WARNING)
    (tagged,) = load(teacher)([["ba" * 49]])
    assert len(tagged.tags) == 1
    assert caplog.messages == []


def test_words_that_the_tokenizer_does_not_know(tagger: Tagger) -> None:
    (tagged,) = tagger([["ba", "\u200b", "", "北京", "\x01"]])
    assert len(tagged.tags) == 5


def test_nothing_to_tag(tagger: Tagger) -> None:
    assert tagger([]) == []
    assert tagger([[]])[0].tags == ()


def test_one_string_is_no_list(tagger: Tagger) -> None:
    with pytest.raises(TypeError, match="list"):
        tagger("ba NE")


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        ({"tokens": ["a"]}, "is of the type dict; give a string or a list of words"),
        (None, "is of the type NoneType; give"),
        (b"ba", "is of the type bytes; give"),
        ({"ba"}, "is of the type set; give"),
        (iter(["ba"]), "is of the type list_iterator; give"),
        (["ba", None], "word 2 is of the type NoneType; give"),
        ([b"ba"], "word 1 is of the type bytes; give"),
        ([["ba"]], "word 1 is of the type list; give"),
    ],
)
def test_what_is_no_sentence_is_named(tagger: Tagger, sentence: Any, says: str) -> None:
    for use in (tagger, lambda texts: list(tagger.marginals(texts))):
        with pytest.raises(TypeError, match=rf"^sentence 3: {says}"):
            use(["ba", ["ne"], sentence])


@pytest.mark.parametrize("sentence", ["ba \ud800", ["ba", "\udfff"], Text.spaced("ba \ud800")])
def test_half_a_surrogate_pair_is_named(tagger: Tagger, sentence: Any) -> None:
    with pytest.raises(UserError, match=r"^sentence 2: contains a lone surrogate"):
        tagger(["ba", sentence])


def test_a_dictionary_is_no_list(tagger: Tagger) -> None:
    with pytest.raises(TypeError, match="list"):
        tagger({"tokens": ["ba"]})


def test_words_come_as_a_tuple_or_an_array_too(tagger: Tagger) -> None:
    one, other, third = tagger([["ba", "NE"], ("ba", "NE"), np.array(["ba", "NE"])])  # type: ignore[list-item]
    assert one.tags == other.tags == third.tags


def test_it_says_its_tags(tagger: Tagger) -> None:
    assert tagger.tags == TAG_SET.tags
    assert tagger.scheme == "iob2"


def test_plain_tags_have_a_span_for_each_word(teacher: Path) -> None:
    model = load_model(teacher)
    model.config.tag_set = TagSet(("A", "B", "C", "D", "E"), "plain").to_json()
    tagger = Tagger(model, load(teacher)._tokenizer, torch.device("cpu"))
    (tagged,) = tagger([Text.spaced("ba NE, ri")])
    assert [(span.text, span.type) for span in tagged.spans] == list(
        zip(tagged.words, tagged.tags, strict=True)
    )


def test_a_folder_without_a_seal_is_taken_as_it_is(teacher: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(teacher, tmp_path / "from-a-hub")
    (folder / SEAL).unlink()
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs\n")
    assert load(str(folder)).tags == TAG_SET.tags


def test_what_is_no_tagger_is_refused(teacher: Path, bert: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        load(tmp_path / "missing")
    with pytest.raises(UserError, match="no tagger can be loaded"):
        load(tmp_path)
    with pytest.raises(UserError):
        load(bert)
    damaged = shutil.copytree(teacher, tmp_path / "damaged")
    (damaged / "config.json").write_text("{}")
    with pytest.raises(UserError, match="checksum"):
        load(damaged)
    bare = shutil.copytree(teacher, tmp_path / "bare")
    for name in (SEAL, "tokenizer.json", "tokenizer_config.json"):
        (bare / name).unlink()
    with pytest.raises(UserError, match="tokenizer"):
        load(bare)


def test_randomness_is_left_alone(tagger: Tagger) -> None:
    before = torch.get_rng_state()
    tagger(["ba NE"])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.slow
def test_loading_says_nothing(teacher: Path) -> None:
    """In a session of its own, since the tests themselves run with bars and warnings off."""
    program = f"from pipeline.inference.tagger import load\nload({str(teacher)!r})"
    quiet = {"TRANSFORMERS_VERBOSITY", "HF_HUB_DISABLE_PROGRESS_BARS"}
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=100
    )
    assert (done.stdout, done.stderr) == ("", "")
