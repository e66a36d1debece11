from benchmarks.studies.experiment import encoder_settings, label


def test_an_encoder_is_part_of_the_results_name() -> None:
    assert label("cpu", None) == "cpu"
    assert label("gpu", "google-bert/bert-base-cased") == "bert-base-cased-gpu"
    assert label("cpu", "/models/mine") == "mine-cpu"


def test_an_encoder_is_a_parameter_of_the_run() -> None:
    assert encoder_settings(None) == []
    assert encoder_settings("org/name") == ["teacher.encoder=org/name"]
