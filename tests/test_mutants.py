"""The verdict of ``make mutants``."""

from __future__ import annotations

from scripts.mutants import unnoticed

RESULTS = """
    lulu.rules.hosts.x_plain_host__mutmut_1: survived
    lulu.rules.hosts.x_plain_host__mutmut_2: killed
    lulu.rules.hosts.x_plain_host__mutmut_3: timeout
    lulu.rules.paths.x_file_targets__mutmut_1: no tests
    lulu.rules.paths.x_file_targets__mutmut_2: not checked
""".splitlines()


def test_change_that_no_test_notices_is_named() -> None:
    assert unnoticed(RESULTS, ["lulu.rules.*"]) == [
        "lulu.rules.hosts.x_plain_host__mutmut_1",
        "lulu.rules.paths.x_file_targets__mutmut_1",
    ]


def test_only_the_changes_that_were_asked_for_count() -> None:
    assert unnoticed(RESULTS, ["lulu.rules.evaluate.*"]) == []
