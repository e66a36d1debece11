from benchmarks.taggers.words_per_second import tag_all


def test_batches_cover_all_sentences_and_tags_go_back_to_their_places() -> None:
    sentences = [["one"], ["two", "words"], [], ["three", "more", "words"]]
    asked: list[int] = []

    def tag(batch: object) -> list[list[str]]:
        found = [[word.upper() for word in words] for words in batch]  # type: ignore[attr-defined]
        asked.append(len(found))
        return found

    _, tags = tag_all(tag, sentences, [2, 0, 1, 3], 3)
    assert tags == [[word.upper() for word in words] for words in sentences]
    assert asked == [3, 3, 1]  # the first is not timed
