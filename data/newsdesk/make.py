"""Write the three splits, text.txt and counts.md from the sentences and the grammar in source/.

    python data/newsdesk/make.py [FOLDER]

Every sentence, written by hand or generated from the grammar, is written in one notation:

    [NP Mayor/NNP {PER Ines Calder}] [VP told] [NP reporters] [PP in] [NP {LOC Ashby}] .

`[TYPE …]` is a chunk, `{TYPE …}` an entity, `word/TAG` gives the Penn tag. The two kinds of brackets do not
nest in themselves but may cross each other. A word without a tag gets one from source/pos.txt or, failing
that, from the rules of `guess`. A leading `<lower>` or `<upper>` sets a whole headline in that case. The text
without tags keeps only the words; its sentences written by hand are in source/hand.text.txt as they are.
"""

import random
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Set
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "source"
SIZES = {"train": 1700, "dev": 320, "test": 600}
TEXT_SIZE = 3000
SEEDS = {"train": 101, "dev": 102, "test": 103, "text": 104}
LENGTHS = range(5, 46)
CHUNKS = {"NP", "VP", "PP", "ADJP", "ADVP", "SBAR", "PRT", "CONJP", "INTJ", "LST"}
ENTITIES = {"PER", "LOC", "ORG", "MISC"}

PUNCTUATION = {
    **dict.fromkeys([".", "?", "!"], "."),
    **dict.fromkeys([":", ";", "-", "--", "...", "/"], ":"),
    **{mark: mark for mark in [",", "(", ")", '"', "$", "#"]},
    "'": '"',
}
NUMBER = re.compile(r"[+-]?\d[\d,.:/-]*(?:th|st|nd|rd|m|%)?\*?")
BY_CHUNK = {
    "NP": "NNP",
    "PP": "IN",
    "SBAR": "IN",
    "ADVP": "RB",
    "ADJP": "JJ",
    "PRT": "RP",
    "INTJ": "UH",
    "LST": "LS",
}
# "off" is IN in pos.txt, but RP as a particle; "may" is MD there, but a month in a noun phrase.
OVERRIDES = {
    "IN": {"ADVP", "PRT"},
    "JJ": {"ADVP"},
    "RB": {"PRT"},
    "DT": {"SBAR", "INTJ"},
    "MD": {"NP"},
}
AUXILIARY = re.compile(r"has|have|had|having|is|are|was|were|be|been|being|'s|'re|'ve|get|got|gets|getting")
BEFORE_BASE = re.compile(r"to|will|would|can|could|may|might|must|should|shall|do|does|did|'ll|ca|wo|let")
SAID_WITH_A_CONSONANT = re.compile(r"(?:uni(?!n|m)|us[eu]|eu|one\b|once|u\.|uk\b|ut[io])", re.IGNORECASE)
SAID_WITH_A_VOWEL = re.compile(r"(?:[aeiou]|hour|honest|honou?r|heir|8|11\b|18\b|[FHLMNRSX]-)", re.IGNORECASE)


class Token(NamedTuple):
    """One line of a CoNLL file."""

    word: str
    pos: str
    chunk: str
    entity: str


Lexicon = dict[str, str]
Grammar = dict[str, list[str]]
Sentence = list[Token]
Corpus = dict[str, list[Sentence]]


class Text(NamedTuple):
    """The lines of text.txt, the hand-written sentences first; pattern and tags of the generated ones too."""

    lines: list[str]
    drawn: list[tuple[str, Sentence]]


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of `path` that are neither blank nor comments (`# …`), stripped."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("# "):
            yield line.strip()


def read_lexicon() -> Lexicon:
    """Return word → Penn tag from the lines `TAG: word word …` of pos.txt; a word may stand there once."""
    lexicon: Lexicon = {}
    for line in read_lines(SOURCE / "pos.txt"):
        tag, _, words = line.partition(": ")
        for word in words.split():
            if word in lexicon:
                raise ValueError(f"pos.txt: {word!r} stands under {lexicon[word]} and under {tag}")
            lexicon[word] = tag
    return lexicon


def guess(word: str, chunk: str, entity: str, before: list[str], lexicon: Lexicon, opens: bool) -> str:
    """Return the Penn tag of a word that was written without one.

    `before` holds the words that stand before it in its chunk, in lower case; `opens` says that it opens the
    sentence, so that its capital tells nothing.
    """
    low = word.lower()
    known = lexicon.get(word) or lexicon.get(low, "")
    if word in PUNCTUATION and not (chunk == "NP" and word == "'"):
        return PUNCTUATION[word]
    if NUMBER.fullmatch(word):
        return "CD"
    if entity:
        return known if known in {"DT", "IN", "CC", "TO", "POS"} else "NNP"
    if chunk == "VP":
        return guess_verb(low, before, known)
    if chunk in OVERRIDES.get(known, ()):
        return BY_CHUNK[chunk]
    if known and not known.startswith("VB"):
        return known
    if chunk == "NP":
        if word[0].isupper() and not opens:
            return "NNP"
        return "NNS" if re.search(r"[^sui]s$", low) else "NN"
    return BY_CHUNK.get(chunk, "NN")


def guess_verb(low: str, before: list[str], known: str) -> str:
    """Return the tag of a word in a verb chunk: the word before it decides between VB, VBD and VBN."""
    words = [
        word for word in before if not word.endswith("ly") and word not in {"not", "n't", "never", "also"}
    ]
    last = words[-1] if words else ""
    if BEFORE_BASE.fullmatch(last) and known not in {"RB", "TO"}:
        return "VB"
    if known in {"RB", "TO", "MD", "IN", "CC"} or (known == "JJ" and not low.endswith("ed")):
        return known
    if AUXILIARY.fullmatch(last) and (known in {"VBD", "VBN"} or low.endswith("ed")):
        return "VBN"
    if known and known != "JJ":
        return known
    endings = {"ed": "VBD", "ing": "VBG", "ly": "RB", "s": "VBZ"}
    return next((tag for ending, tag in endings.items() if low.endswith(ending)), "VBP")


def split_tag(item: str) -> tuple[str, str]:
    """Split `word/TAG`; a slash that no capital letters follow belongs to the word."""
    match = re.fullmatch(r"(.+)/([A-Z]+\$?|[.,:()\"])", item)
    return (match[1], match[2]) if match else (item, "")


def open_bracket(item: str, opened: str, known: set[str], text: str) -> str:
    """Return the type that `item` opens; raises ValueError if one is open already or the type is unknown."""
    if opened or item[1:] not in known:
        raise ValueError(f"{item!r} is no type, or stands inside {opened!r}: {text}")
    return item[1:]


def annotate(text: str, lexicon: Lexicon) -> Sentence:
    """Read one sentence in the bracket notation; raises ValueError on brackets that do not match."""
    case, items = "", re.sub(r"([\]}]+)(?=\s|$)", lambda m: " " + " ".join(m[1]), text).split()
    if items[0] in {"<lower>", "<upper>"}:
        case = items.pop(0)
    tokens: list[Token] = []
    chunk = entity = ""
    chunk_mark, entity_mark = "B-", "B-"
    before: list[str] = []
    for index, item in enumerate(items):
        if item.startswith("[") and len(item) > 1:
            chunk, chunk_mark, before = open_bracket(item, chunk, CHUNKS, text), "B-", []
        elif item.startswith("{") and len(item) > 1:
            entity, entity_mark = open_bracket(item, entity, ENTITIES, text), "B-"
        elif item in {"]", "}"}:
            if not (chunk if item == "]" else entity):
                raise ValueError(f"{item!r} closes nothing: {text}")
            chunk, entity = ("", entity) if item == "]" else (chunk, "")
        else:
            word, pos = split_tag(item)
            if word in {"a", "A"} and not pos:
                word = article(word, next_word(items[index + 1 :]))
            opens = not any(token.word[0].isalnum() for token in tokens)
            pos = pos or guess(word, chunk, entity, before, lexicon, opens)
            before.append(word.lower())
            if opens:
                word = word[0].upper() + word[1:]
            word = {"<lower>": word.lower(), "<upper>": word.upper()}.get(case, word)
            tokens.append(
                Token(
                    word, pos, chunk_mark + chunk if chunk else "O", entity_mark + entity if entity else "O"
                )
            )
            chunk_mark = "I-" if chunk else "B-"
            entity_mark = "I-" if entity else "B-"
    if chunk or entity:
        raise ValueError(f"a bracket stays open: {text}")
    return tokens


def next_word(items: list[str]) -> str:
    """Return the first of `items` that is a word and no bracket."""
    return next((split_tag(item)[0] for item in items if item[0] not in "[]{}\"'"), "")


def article(word: str, following: str) -> str:
    """Return `a` or `an`, whichever `following` needs, in the case of `word`."""
    vowel = SAID_WITH_A_VOWEL.match(following) and not SAID_WITH_A_CONSONANT.match(following)
    return word + "n" if vowel else word


def read_grammar(splits: Set[str]) -> Grammar:
    """Return symbol → alternatives as `splits` see them.

    A section opens with `= symbol` (for every split) or `= symbol train dev` (for these only). Its lines hold
    alternatives, parted by ` | `; `3* ` before one gives it three times the weight.
    """
    grammar: Grammar = {}
    rules: list[str] | None = None
    for path in sorted(SOURCE.glob("grammar*.txt")) + sorted(SOURCE.glob("names*.txt")):
        for line in read_lines(path):
            if line.startswith("= "):
                symbol, *only = line[2:].split()
                rules = grammar.setdefault(symbol, []) if not only or splits & set(only) else None
            elif rules is not None:
                for alternative in line.split(" | "):
                    weight, found, text = alternative.partition("* ")
                    rules += (
                        [text.strip()] * int(weight) if found and weight.isdigit() else [alternative.strip()]
                    )
    return grammar


def pick(items: list[str], rng: random.Random) -> str:
    """Return one of `items`; uses `rng.random` alone, whose stream Python promises to keep."""
    return items[int(rng.random() * len(items))]


def expand(text: str, grammar: Grammar, rng: random.Random, used: set[str]) -> str:
    """Replace every `$symbol` in `text` until none is left; a name is used once per sentence.

    ` ~ ` glues what stands on its two sides: `$stem ~ $ending`.
    """
    out = []
    for item in text.split():
        match = re.fullmatch(r"([^$]*)\$([a-zA-Z_]+)([\]}]*)", item)
        if not match:
            out.append(item)
            continue
        before, symbol, after = match.groups()
        fresh = [rule for rule in grammar[symbol] if rule not in used] or grammar[symbol]
        rule = pick(fresh, rng)
        if "$" not in rule and rule[:1].isupper():
            used.add(rule)
        out.append(before + expand(rule, grammar, rng, used) + after)
    return " ".join(out).replace(" ~ ", "")


def shuffled(items: Iterable[str], rng: random.Random) -> list[str]:
    """Return `items` in a random order."""
    return [item for _, item in sorted((rng.random(), item) for item in items)]


def drawn(name: str, number: int, seen: set[str], lexicon: Lexicon) -> Iterator[tuple[str, Sentence]]:
    """Yield `number` sentences that are not in `seen`, and add them; each comes with its pattern.

    Each pattern is used as often as any other. `name` is that of a split, or "text", which draws from the
    grammar of every split and from its own.
    """
    grammar = read_grammar(SEEDS.keys() if name == "text" else {name})
    rng, found = random.Random(SEEDS[name]), 0
    while True:
        for pattern in shuffled(grammar["sentence"], rng):
            if found >= number:
                return
            sentence = annotate(expand(pattern, grammar, rng, set()), lexicon)
            if len(sentence) in LENGTHS and plain(sentence) not in seen:
                seen.add(plain(sentence))
                found += 1
                yield pattern, sentence


def composed(split: str, lexicon: Lexicon) -> list[Sentence]:
    """Return the sentences of `split` that were written by hand, in the order of the file."""
    return [annotate(line, lexicon) for line in read_lines(SOURCE / f"hand.{split}.txt")]


def spaced(sentence: Sentence) -> str:
    """Return the words of a sentence, separated by single spaces."""
    return " ".join(token.word for token in sentence)


def plain(sentence: Sentence) -> str:
    """Return the words of a sentence in lower case: what makes two sentences the same."""
    return spaced(sentence).lower()


def build(lexicon: Lexicon) -> Corpus:
    """Return split → sentences: the hand-written first, then generated ones up to SIZES, no two the same."""
    corpus = {split: composed(split, lexicon) for split in SIZES}
    seen = {plain(sentence) for sentences in corpus.values() for sentence in sentences}
    for split, sentences in corpus.items():
        number = SIZES[split] - len(sentences)
        sentences += [sentence for _, sentence in drawn(split, number, seen, lexicon)]
    return corpus


def build_text(corpus: Corpus, lexicon: Lexicon) -> Text:
    """Return the text: the hand-written sentences first; raises ValueError if one occurs elsewhere too."""
    lines = list(read_lines(SOURCE / "hand.text.txt"))
    seen = {plain(sentence) for sentences in corpus.values() for sentence in sentences}
    for line in lines:
        if line.lower() in seen:
            raise ValueError(f"hand.text.txt: stands in a split or twice: {line}")
        seen.add(line.lower())
    found = list(drawn("text", TEXT_SIZE - len(lines), seen, lexicon))
    return Text(lines + [spaced(sentence) for _, sentence in found], found)


def counts(corpus: Corpus, text: Text, lexicon: Lexicon) -> str:
    """Return a Markdown table: what the splits and the text hold, by kind and by type of entity and chunk."""
    rows: dict[str, list[str]] = {}
    for split, sentences in corpus.items():
        tokens = chain.from_iterable(sentences)
        starts = Counter(tag for token in tokens for tag in token[2:] if tag[0] == "B")
        figures = {
            "sentences": len(sentences),
            "of them written by hand": len(composed(split, lexicon)),
            "words": sum(map(len, sentences)),
            **{f"entities: {name}": starts[f"B-{name}"] for name in sorted(ENTITIES)},
            **{f"chunks: {name}": starts[f"B-{name}"] for name in sorted(CHUNKS)},
        }
        for name, figure in figures.items():
            rows.setdefault(name, []).append(f"{figure:,}")
    of_text = [len(text.lines), len(text.lines) - len(text.drawn), len(" ".join(text.lines).split(" "))]
    for cells, figure in zip_longest(rows.values(), of_text):
        cells.append("" if figure is None else f"{figure:,}")
    return table(["", *corpus, "text"], rows)


def names(sentences: Iterable[Sentence]) -> list[str]:
    """Return the words of every entity in lower case."""
    found: list[str] = []
    for token in chain.from_iterable(sentences):
        if token.entity[0] == "B":
            found.append(token.word.lower())
        elif token.entity[0] == "I":
            found[-1] += " " + token.word.lower()
    return found


def shares(corpus: Corpus, text: Text) -> str:
    """Return a Markdown table: of the text's patterns, names and words, the share that each split has too."""
    used, sentences = [pattern for pattern, _ in text.drawn], [sentence for _, sentence in text.drawn]
    words = " ".join(text.lines).lower().split(" ")
    patterns = {split: set(read_grammar({split})["sentence"]) for split in corpus}
    known = {split: set(names(corpus[split])) for split in corpus}
    vocabulary = {split: set(" ".join(map(plain, corpus[split])).split(" ")) for split in corpus}
    rows = {
        "generated sentences, by pattern": share(used, patterns),
        "names in generated sentences": share(names(sentences), known),
        "distinct names in generated sentences": share(set(names(sentences)), known),
        "distinct words of all sentences": share(set(words), vocabulary),
    }
    return table(["in the text", "number", *(f"in {split} too" for split in corpus), "in no split"], rows)


def share(items: Collection[str], known: dict[str, set[str]]) -> list[str]:
    """Return the number of `items`, and the percentage that each split knows and that none does."""
    found = [sum(item in of_split for item in items) for of_split in known.values()]
    found.append(sum(not any(item in of_split for of_split in known.values()) for item in items))
    return [f"{len(items):,}", *(f"{number / len(items):.1%}" for number in found)]


def table(head: list[str], rows: dict[str, list[str]]) -> str:
    """Return a Markdown table of rows by name."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1)] + [[name, *cells] for name, cells in rows.items()]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main(folder: Path) -> None:
    """Write the three splits, the text without tags and their counts into `folder`."""
    lexicon = read_lexicon()
    corpus = build(lexicon)
    text = build_text(corpus, lexicon)
    files = {"counts.md": counts(corpus, text, lexicon) + "\n" + shares(corpus, text)}
    files["text.txt"] = "".join(line + "\n" for line in text.lines)
    for split, sentences in corpus.items():
        blocks = ("".join(" ".join(token) + "\n" for token in sentence) for sentence in sentences)
        files[f"{split}.conll"] = "".join(block + "\n" for block in blocks)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
