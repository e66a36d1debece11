"""What the paper reports (Lin et al. 2022, arXiv 2203.04825): BERT-base, a student of its first 3 layers."""

NAME = "Lin et al. 2022"
CORPORA = {"conll2000": "CoNLL-2000", "conll2003": "CoNLL-2003"}

TABLE_1 = {
    "conll2003": {
        "teacher": (92.00, 92.62, 92.31),
        "vanilla": (88.93, 88.79, 88.86),
        "kbest": (88.94, 89.50, 89.22),
        "structural": (89.33, 89.33, 89.33),
        "efficient": (89.69, 89.71, 89.70),
    },
    "conll2000": {
        "teacher": (97.80, 97.80, 97.80),
        "vanilla": (96.20, 96.22, 96.21),
        "kbest": (96.46, 96.41, 96.44),
        "structural": (96.48, 96.43, 96.46),
        "efficient": (96.81, 96.77, 96.79),
    },
}
"""Precision, recall and F1 on test in percent, means of five seeds."""

TABLE_2 = {
    "vanilla": (None, 19.0, 35.0, 54.0),
    "kbest": (21.0, 23.0, 39.0, 83.0),
    "structural": (19.0, 30.0, 50.0, 99.0),
    "efficient": (16.0, 5.0, 20.0, 41.0),
}
"""Seconds of an epoch of CoNLL-2003 on a V100: teacher forward, student forward, student backward, total."""


def table_1_of(task: str) -> tuple[str, dict[str, tuple[float, float, float]]]:
    """The corpus whose figures stand beside those of `task`, and the figures: its own, else CoNLL-2003's."""
    corpus = next((name for name in TABLE_1 if task.startswith(name)), "conll2003")
    return CORPORA[corpus], TABLE_1[corpus]
