"""Text preparation: tokens, files in parts, work spread over processes."""

from __future__ import annotations

import csv
import io
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contract
import text

CELL = st.text(alphabet=st.sampled_from('aä,"\n\r x'), max_size=12)
ROWS = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12)
COLUMNS = ("one", "two", "three")


@pytest.mark.parametrize(
    ("given_text", "found"),
    [
        ("Don't stop: 3 cafés!", ["don't", "stop", ":", "3", "cafés", "!"]),
        ("it’s 'quoted'", ["it’s", "'", "quoted", "'"]),  # noqa: RUF001 -- a curled apostrophe is the case
        ("__label__Film a_b", ["label", "film", "a", "b"]),
        ("", []),
    ],
)
def test_tokens_are_words_and_marks_in_lower_case(given_text, found):
    """An apostrophe stays within its word, and an underscore is none, so that no text holds a label."""
    assert text.tokens(given_text) == found


@given(st.one_of(st.text(), st.text(alphabet="aB1 '’_.-\"\t\n\x00", max_size=30)))  # noqa: RUF001
def test_plain_text_is_split_by_the_same_rule_as_any(given_text):
    """It is done another way, which is faster."""
    rule = r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]"  # noqa: RUF001 -- both kinds of apostrophe
    assert text.tokens(given_text) == re.findall(rule, given_text.lower())


@given(st.text())
def test_tokens_never_hold_what_parts_them_or_marks_a_label(given_text):
    """A line of tokens reads back as the same tokens."""
    found = text.tokens(given_text)
    assert " ".join(found).split() == found
    assert not any("__label__" in token for token in found)
    assert [token for token in found if token[0].isalnum()] == text.words(given_text)


@pytest.mark.parametrize(
    ("given_text", "found"),
    [
        ("good<br /><br />bad", ["good", "bad"]),
        ("R&amp;B <b>loud</b>", ["r", "b", "loud"]),
        ("a<!-- <i> -->b", ["a", "b"]),
        ("2 < 3 and 4 > 1", ["2", "3", "and", "4", "1"]),
        ("&lt;b&gt;shown&lt;/b&gt;", ["b", "shown", "b"]),
    ],
)
def test_tags_go_and_text_stays(given_text, found):
    """A lone `<` is no tag, and what is written out as one by names is text."""
    assert text.words(text.without_html(given_text)) == found


@settings(deadline=None)  # files are written
@given(rows=ROWS, size=st.integers(1, 60))
def test_a_file_in_parts_holds_the_rows_of_the_whole(tmp_path_factory, rows, size):
    """Whatever the parts' size, also with line breaks and marks within fields."""
    content = io.StringIO(newline="")
    csv.writer(content, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    path = tmp_path_factory.mktemp("parts") / "rows.csv"
    path.write_text(content.getvalue(), encoding="utf-8", newline="")
    parts = text.parts(path, size)
    found = [(line, cells) for part in parts for line, cells in text.rows(part, COLUMNS)]
    assert [cells for _, cells in found] == rows
    lines = path.read_bytes().split(b"\n")
    for line, cells in found:
        assert lines[line - 1].startswith(b'"' + cells[0].split("\n")[0].replace('"', '""').encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,c\na,b\n", r"rows\.csv line 2: 2 columns, expected 3 \(one,two,three\)"),
        (b'"a\nb",b,c\n\na,b,c,d\n', r"rows\.csv line 4: 4 columns, expected 3"),
        (b'a,b,c\na,"b"b,c\n', r"rows\.csv line 2: "),
        (b'a,b,c\na,b,"c\n', r"rows\.csv line 2: "),
        (b"a,b,c\na,\xff,c\n", r"rows\.csv line 2 is not UTF-8 text"),
    ],
)
def test_a_wrong_row_is_named_by_file_and_line(tmp_path, content, message):
    """Also after an empty line, and after a field of several lines."""
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(contract.UserError, match=f"^{tmp_path.name}/{message}"):
        [list(text.rows(part, COLUMNS)) for part in text.parts(tmp_path / "rows.csv", 4)]


def test_a_spreadsheets_mark_is_no_part_of_the_first_cell(tmp_path):
    """Three bytes that mark UTF-8."""
    (tmp_path / "rows.csv").write_bytes(b"\xef\xbb\xbf1,b,c\n")
    assert list(text.rows(*text.parts(tmp_path / "rows.csv"), COLUMNS)) == [(1, ["1", "b", "c"])]


def test_results_come_in_the_order_of_the_items_for_any_number_of_processes():
    """One process works here, several elsewhere."""
    items = [list(range(number)) for number in (3, 1, 2, 5, 0)]
    for processes in (1, 2):
        with text.workers(processes) as in_order:
            assert list(in_order(len, items)) == [3, 1, 2, 5, 0]


def test_a_process_that_is_killed_is_the_platforms_fault():
    """Most often memory ran out: the remedy is named."""
    with (
        pytest.raises(contract.PlatformError, match="more memory"),
        text.workers(2) as in_order,
    ):
        list(in_order(os._exit, [1, 1]))


def test_a_file_is_there_once_it_is_whole(tmp_path):
    """A line that cannot be made leaves no file under the name."""

    def lines():
        yield "first"
        raise contract.UserError("the second is wrong")

    with pytest.raises(contract.UserError):
        text.write_lines(tmp_path / "lines.txt", lines())
    assert not (tmp_path / "lines.txt").exists()
    assert text.write_lines(tmp_path / "lines.txt", ["first", "second"]) == 2
    assert (tmp_path / "lines.txt").read_text() == "first\nsecond\n"
