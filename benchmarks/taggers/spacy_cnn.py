"""spaCy's tagger of spans, given the words of a corpus; spaCy's tokenizer is not asked."""

from pathlib import Path

from spacy.tokens import Doc
from spacy.util import load_model_from_path

from benchmarks.taggers.tagger import Sentences, Tag


def load(folder: Path) -> Tag:
    """The tagger in `folder`."""
    nlp = load_model_from_path(folder)

    def tag(sentences: Sentences) -> list[list[str]]:
        docs = (Doc(nlp.vocab, words=list(words)) for words in sentences)
        return [tags_of(doc) for doc in nlp.pipe(docs, batch_size=max(1, len(sentences)))]

    return tag


def tags_of(doc: Doc) -> list[str]:
    """The spans of a document as tags in IOB2."""
    return [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc]
