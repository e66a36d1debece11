from typing import Any

from benchmarks.pages.benchmark_tables import (
    chain_section,
    live_metrics_section,
    store_section,
    training_step_section,
)

MADE: dict[str, Any] = {"commit": "abc", "device": "a <small> machine"}


def chain_row(task: str, length: int, threads: int, **ratio: float) -> dict[str, Any]:
    shape = {"batch": 32, "length": length, "tags": 9}
    return {"task": task, **shape, "threads": threads, "ratio": {"ours": 1.0, **ratio}}


def test_a_peer_of_the_chain_is_a_median_and_a_range() -> None:
    rows = [
        chain_row("loss", 30, 1, slow=2.0),
        chain_row("loss", 60, 1, slow=10.0),
        chain_row("loss", 256, 1, slow=3.0, other=4.0),
        chain_row("loss", 30, 2, slow=5.0),
    ]
    memory = {"batch": 32, "length": 256, "tags": 23, "peak_bytes": {"ours": 2**20, "slow": 3 * 2**19}}
    text = chain_section({"rows": rows, "memory": memory} | MADE)
    assert "|  | threads | slow | other |" in text
    assert "| loss | 1 | 3.0 (2.0 – 10.0) | 4.0 (4.0 – 4.0) |" in text
    assert "| loss | 2 | 5.0 (5.0 – 5.0) | – |" in text
    assert "median over 3 shapes" in text
    assert "32 sentences of 256 words with 23 tags: ours 1.0 MiB, slow 1.5 MiB." in text
    assert text.endswith("Commit abc, a <small> machine.")


def test_the_store_shows_memory_by_size_and_its_peers() -> None:
    small = {"sentences": 1_000, "words": 20_000, "bytes_per_word": 36.864, "floor_bytes_per_word": 36}
    small |= {"dump_peak_mb": 500.4, "open_peak_mb": 400.0}
    large = small | {"sentences": 2_000, "dump_bytes_per_sentence": 12.3, "open_bytes_per_sentence": 7.8}
    peers = {"this": {"bytes_per_word": 36.86, "read_mb_per_s": 161.2}}
    text = store_section({"dump": [small, large], "peers": [{"tags": 9, "peers": peers}]} | MADE)
    assert "| 1,000 | 20,000 | 36.86 | 36 | 500 | – | 400 | – |" in text
    assert "| 2,000 | 20,000 | 36.86 | 36 | 500 | 12 | 400 | 8 |" in text
    assert (
        "| 9 tags, kept as | bytes a word | read, MB/s |\n| :-- | --: | --: |\n| this | 36.9 | 161 |" in text
    )
    assert text.endswith("Commit abc, a <small> machine.")


def test_a_training_step_shows_each_form_beside_the_first() -> None:
    row = {"threads": 2, "seconds": {"all": 0.104, "some": 0.0781}, "ratio": {"all": 1.0, "some": 0.7549}}
    facts = {"task": "toy", "method": "kbest", "layers": 3, "batch_size": 32, "turns": 7, "steps": 30}
    text = training_step_section({"rows": [row], "pieces": {"all": 30_522, "occur": 3_392}} | facts | MADE)
    assert "| 2 | 104 (1.00) | 78 (0.75) |" in text
    assert "Student of 3 layers on toy by `kbest`, batches of 32; 3,392 of 30,522 pieces occur" in text


def test_live_metrics_show_each_turn_and_the_medians() -> None:
    row = {
        "with": {"seconds": 202.0, "processor_seconds": 201.0, "live_seconds": 1.5, "written": 960},
        "without": {"seconds": 200.0, "processor_seconds": 200.04},
    }
    ratio = {"seconds": [1.01, 1.0, 1.03], "processor_seconds": [1.0048, 0.999, 1.02]}
    facts = {"rows": [row], "ratio": ratio, "share": [0.0071, 0.0075, 0.02], "epochs": 40}
    text = live_metrics_section(facts | MADE)
    assert "| 1 | 202.0 | 200.0 | 201.0 | 200.0 | 1.50 | 960 |" in text
    assert "takes 1.010 of the time and 1.005 of the CPU time" in text
    assert "takes 0.75 % of the run's CPU time" in text
