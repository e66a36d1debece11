from benchmarks.measuring import in_turns


def test_the_order_rotates() -> None:
    assert list(in_turns(["a", "b", "c"], 3)) == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
