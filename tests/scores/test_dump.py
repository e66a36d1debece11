"""What the dump stores is what the teacher says, under the names of what it was made from."""

import shutil

import pytest
import torch

from pipeline.device import accelerator
from pipeline.encoding.batching import Batches
from pipeline.encoding.split_file import load, read_words_digest
from pipeline.errors import UserError
from pipeline.model.chain_tagger import ChainTagger
from pipeline.model.model_folder import load_model
from pipeline.scores.dump import dump_scores, origin_of
from pipeline.scores.settings import Dump
from pipeline.scores.shards import Shard
from pipeline.storage.sealed_folder import check, identity, new_folder, sha256
from pipeline.training.settings import Teacher
from pipeline.training.teacher import take_teacher
from tests.helpers.given_models import write_classifier
from tests.helpers.seen_rows import seen_rows
from tests.helpers.tiny_corpus import TAG_SET
from tests.helpers.tiny_inputs import SPLITS, dump, train_batches, write_split, write_teacher

TEACHER = {"encoder": "any", "epochs": 1, "learning_rate": 1e-3, "head_learning_rate": 1e-3}


def test_every_sentence_is_stored_with_the_teachers_emissions(corpus, teacher, tmp_path):
    store = dump(tmp_path / "scores", corpus, teacher)
    model, batches = load_model(teacher).eval(), train_batches(corpus)

    assert store.sentences == SPLITS["train"]
    assert store.lengths.tolist() == batches.encoded.lengths.tolist()
    for number in range(store.sentences):
        ids = torch.tensor([number])
        with torch.inference_mode():
            alone = model.chain(batches.collate(ids)).emissions
        torch.testing.assert_close(store.batch(ids)[0], alone, rtol=1e-4, atol=1e-5)


def test_the_crf_is_the_teachers_to_the_bit(corpus, teacher, tmp_path):
    model, parameters = load_model(teacher), dump(tmp_path / "scores", corpus, teacher).parameters
    assert torch.equal(parameters.transitions, model.transitions)
    assert torch.equal(parameters.start, model.start)
    assert torch.equal(parameters.end, model.end)
    assert parameters.transitions[0, 1] != parameters.transitions[1, 0]


def test_a_split_that_is_not_there_is_named(corpus, teacher):
    with pytest.raises(UserError, match=r"other\.parquet: not an encoded split"):
        origin_of(corpus / "other.parquet", teacher)


def test_two_dumps_are_the_same_to_the_bit(corpus, teacher, tmp_path):
    for name in "ab":
        dump(tmp_path / name / "scores", corpus, teacher)
    assert identity(tmp_path / "a" / "scores") == identity(tmp_path / "b" / "scores")


def test_a_teacher_in_training_mode_is_scored_without_dropout(corpus, teacher, tmp_path):
    origin = origin_of(corpus / "train.parquet", teacher)
    for name, model in (("a", load_model(teacher).eval()), ("b", load_model(teacher).train())):
        assert model.dropout.p > 0
        dump_scores(
            model,
            train_batches(corpus),
            accelerator("float32"),
            Dump(),
            origin=origin,
            checkpoint=tmp_path / name / "checkpoint",
            out=tmp_path / name / "scores",
        )
    assert identity(tmp_path / "a" / "scores") == identity(tmp_path / "b" / "scores")


def test_a_stopped_dump_goes_on_behind_its_finished_shards(corpus, teacher, tmp_path, monkeypatch):
    dump(tmp_path / "whole" / "scores", corpus, teacher, shard_sentences=8)
    scored: list[int] = []
    chain = ChainTagger.chain

    def dies_at_the_third_batch(model, batch):
        scored.append(len(batch.ids))
        if len(scored) == 3:
            raise KeyboardInterrupt
        return chain(model, batch)

    monkeypatch.setattr(ChainTagger, "chain", dies_at_the_third_batch)
    with pytest.raises(KeyboardInterrupt):
        dump(tmp_path / "stopped" / "scores", corpus, teacher, shard_sentences=8)
    assert not (tmp_path / "stopped" / "scores").exists()
    dump(tmp_path / "stopped" / "scores", corpus, teacher, shard_sentences=8)

    assert sum(scored[3:]) == SPLITS["train"] - 16
    assert identity(tmp_path / "stopped" / "scores") == identity(tmp_path / "whole" / "scores")


@pytest.mark.parametrize("shard_sentences", [3, 10])
def test_no_batch_has_sentences_of_two_shards(corpus, teacher, tmp_path, monkeypatch, shard_sentences):
    whole = dump(tmp_path / "scores", corpus, teacher, shard_sentences=shard_sentences)
    assert whole.sentences == SPLITS["train"]
    before = identity(tmp_path / "scores")
    shutil.rmtree(tmp_path / "checkpoint" / "00001")
    scored = seen_rows(monkeypatch)
    dump(tmp_path / "scores", corpus, teacher, shard_sentences=shard_sentences)
    assert len(scored) == len(set(scored)) == shard_sentences  # with those of no other shard
    assert identity(tmp_path / "scores") == before


def test_a_resumed_dump_says_so_and_reads_each_finished_shard_once(
    corpus, teacher, tmp_path, monkeypatch, capsys
):
    dump(tmp_path / "scores", corpus, teacher, shard_sentences=8)
    assert "resumes" not in capsys.readouterr().out
    shutil.rmtree(tmp_path / "checkpoint" / "00003")
    read, row_groups = [], Shard.row_groups

    def counted(shard):
        read.append(shard.path)
        return row_groups(shard)

    monkeypatch.setattr(Shard, "row_groups", counted)
    dump(tmp_path / "scores", corpus, teacher, shard_sentences=8)
    waiting = [path for path in read if path.is_relative_to(tmp_path / "checkpoint")]
    assert len(waiting) == len(set(waiting)) == 3
    place = tmp_path / "checkpoint"
    assert f"dump: resumes after 24 of 26 sentences ({place})" in capsys.readouterr().out


def test_the_origin_names_weights_corpus_tokenizer_and_split(corpus, teacher):
    origin = origin_of(corpus / "dev.parquet", teacher)
    assert origin.tags == TAG_SET.tags
    assert origin.teacher == sha256(teacher / "model.safetensors")
    assert origin.words == read_words_digest(corpus / "dev.parquet")
    assert origin.tokenizer == load(corpus / "dev.parquet").layout.identity
    assert origin.split == "dev"
    assert origin_of(corpus / "train.parquet", teacher).words == read_words_digest(corpus / "train.parquet")


def test_a_teacher_with_the_same_weights_and_other_types_is_another(bert, corpus, tmp_path):
    labels = [f"{letter}-{kind}" for kind in ("LOC", "PER") for letter in "BIES"]
    with new_folder(tmp_path / "model") as aside:
        shutil.copytree(write_classifier(tmp_path / "stock", bert, ["O", *labels]), aside, dirs_exist_ok=True)
    origins = []
    for types in ({}, {"LOC": "PER", "PER": "LOC"}):
        settings, out = Teacher.model_validate(TEACHER | {"types": types}), tmp_path / f"teacher-{len(types)}"
        take_teacher(settings, encoded=corpus, encoder=tmp_path / "model", out=out)
        origins.append(origin_of(corpus / "train.parquet", out))
    weights = {sha256(out / "model.safetensors") for out in tmp_path.glob("teacher-*")}
    assert len(weights) == 1
    assert origins[0].teacher != origins[1].teacher


def test_a_damaged_teacher_is_refused_by_name(corpus, bert, tmp_path):
    teacher = write_teacher(tmp_path / "teacher", bert, corpus)
    file = teacher / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match=f"{file}: damaged"):
        origin_of(corpus / "train.parquet", teacher)


def test_without_sentences_the_store_is_an_empty_folder(bert, teacher, tmp_path):
    with new_folder(tmp_path / "corpus") as aside:
        write_split(aside / "train.parquet", [], bert)
    origin = origin_of(tmp_path / "corpus/train.parquet", teacher)
    dump_scores(
        load_model(teacher),
        Batches(load(tmp_path / "corpus/train.parquet"), 4),
        accelerator("float32"),
        Dump(),
        origin=origin,
        checkpoint=tmp_path / "checkpoint",
        out=tmp_path / "scores",
    )
    assert check(tmp_path / "scores") == {}
