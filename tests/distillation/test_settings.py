"""The defaults of the methods' settings are the paper's."""

from tests.helpers.methods import TEACHERS, settings_of


def test_the_papers_schedules_are_the_defaults():
    defaults = {name: settings_of(name) for name in TEACHERS}
    assert {name: settings.schedule for name, settings in defaults.items()} == {
        "kbest": "linear",
        "structural": "linear",
        "posterior": "linear",
        "efficient": "last_epoch",
        "efficient_emission": "last_epoch",
    }
    assert {settings.weight for settings in defaults.values()} == {1.0}
    assert defaults["kbest"].k == 3
