from pathlib import Path

from transformers import AutoTokenizer

from benchmarks.taggers.stock import IGNORED, examples, load
from benchmarks.taggers.stock_training import epoch_seconds, form_settings, train
from pipeline.training.settings import Student
from tests.helpers.tiny_corpus import TAG_SET, sentences
from tests.helpers.tiny_encoders import POSITIONS, write_encoder

STUDENT = Student(
    layers=2, epochs=2, batch_size=4, learning_rate=1e-2, head_learning_rate=1e-2, precision="float32"
)


def test_a_word_has_its_label_at_its_first_piece_and_words_behind_the_window_have_none(
    tmp_path: Path,
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(write_encoder(tmp_path / "encoder", "bert"))
    words = [word for sentence in sentences(30, seed=0) for word in sentence.words]
    (row,) = examples(tokenizer, [words], [list(range(len(words)))])
    assert len(row["labels"]) == len(row["input_ids"]) == POSITIONS
    labels = [label for label in row["labels"] if label != IGNORED]
    assert labels == list(range(len(labels)))
    for label in labels:
        place = row["labels"].index(label)
        first = tokenizer(words[label], add_special_tokens=False)["input_ids"][0]
        assert row["input_ids"][place] == first


def test_a_trained_classifier_tags_every_word(tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path / "encoder", "bert")
    split = sentences(12, seed=1)
    for form in ("defaults", "tuned"):
        train(form, STUDENT, encoder, TAG_SET, split, split[:4], tmp_path / form, epochs=1)
    texts = [sentence.words for sentence in split]
    one, long = load(tmp_path / "tuned")(texts), load(tmp_path / "tuned")([sum(texts, ())])
    assert [len(tags) for tags in one] == [len(words) for words in texts]
    assert {tag for tags in one for tag in tags} <= set(TAG_SET.tags)
    assert len(long[0]) == sum(map(len, texts))
    assert long[0][-1] == "O"
    assert load(tmp_path / "tuned")([texts[3]]) == [one[3]]  # whatever else is in the batch
    assert epoch_seconds("tuned", STUDENT, encoder, TAG_SET, split)["training_seconds"] > 0


def test_only_the_tuned_form_has_the_students_settings() -> None:
    assert form_settings("defaults", STUDENT) == {}
    tuned = form_settings("tuned", STUDENT)
    assert (tuned["num_train_epochs"], tuned["learning_rate"], tuned["bf16"]) == (2, 1e-2, False)
