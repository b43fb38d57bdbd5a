from shelfcast.code import _reachable, code_version


def test_the_version_of_a_job_counts_what_it_imports_near_and_far() -> None:
    reached = _reachable("shelfcast.steps.clean")
    assert {"shelfcast.steps.clean", "shelfcast.cleaning.sizes", "shelfcast.lake", "shelfcast.errors"} <= reached


def test_a_change_of_the_models_does_not_clean_anew() -> None:
    assert not {name for name in _reachable("shelfcast.steps.clean") if "models" in name or "reporting" in name}


def test_another_module_is_another_version() -> None:
    assert code_version("shelfcast.steps.clean") != code_version("shelfcast.steps.aggregate")
