"""The tags that a tagger learns: those of the corpus or, where no sentence is labelled, of its teacher."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.corpora.schemes import FileScheme
from pipeline.corpora.settings import Split
from pipeline.corpora.split_warnings import listed
from pipeline.corpora.tagging import Sentence, TagSet
from pipeline.errors import counted
from pipeline.model.teacher_labels import read_labels

log = logging.getLogger(__name__)


def tags_to_learn(
    splits: Mapping[Split, Sequence[Sentence]],
    file_scheme: FileScheme,
    folder: Path,
    types: Mapping[str, str | None],
    scheme: FileScheme | None,
) -> TagSet:
    """The tags of train and dev; where there is no labelled sentence, those of the teacher in `folder`.

    What of the test split such a teacher cannot give is logged.

    Args:
        splits: train, dev and test.
        file_scheme: of the corpus.
        folder: the teacher, where it is used.
        types, scheme: see `given_teacher`.

    Raises:
        UserError: the sentences carry no tags, or the teacher's labels cannot be used.
    """
    if splits["train"]:
        return TagSet.from_sentences(splits["train"], splits["dev"], scheme=file_scheme)
    labels = read_labels(folder, scheme, "plain" if file_scheme == "plain" else "iob2")
    tag_set = labels.tag_set(types)
    if missing := tag_set.missing(splits["test"]):
        log.warning(
            f"test: {counted(missing.total(), 'word')} with tags that the teacher cannot give "
            f"({listed(missing)}); write under teacher.types what its types are in the corpus, or "
            "correct the tags"
        )
    return tag_set
