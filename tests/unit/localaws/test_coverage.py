"""COVERAGE.md tells what there is."""

from localaws.coverage import TARGET, report


def test_the_list_of_what_is_covered_is_current() -> None:
    """A type, property or operation that comes or goes shows in the file."""
    assert TARGET.read_text() == report(), "run `python -m localaws.coverage`"
