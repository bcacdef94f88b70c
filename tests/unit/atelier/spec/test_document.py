from __future__ import annotations

import pytest

from atelier.spec import SpecError, load_team
from atelier.spec.document import MAX_NODES, merge, read


@pytest.fixture
def parse(tmp_path):
    """Reads a text as a document."""

    def parse(text: str):
        path = tmp_path / "doc.yaml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return parse


def test_scalars_are_those_of_yaml_1_2(parse):
    """`no`, `on`, dates, times and quoted numbers are text; null, booleans and numbers are not."""
    text = """
    a: no
    b: on
    c: 2026-11-21
    d: 22:30
    e: "12"
    f: ~
    g: true
    h: 0o17
    i: 0x1F
    j: 1e3
    k: -12
    l: .5
    m: !!str 5
    n:
    """
    assert parse(text).plain() == {
        "a": "no", "b": "on", "c": "2026-11-21", "d": "22:30", "e": "12", "f": None, "g": True,
        "h": 15, "i": 31, "j": 1000.0, "k": -12, "l": 0.5, "m": "5", "n": None,
    }  # fmt: skip


def test_every_value_knows_its_place(parse):
    """Keys and values know line and column, both from 1."""
    root = parse("a:\n  b: [x,\n      y]\n")
    y = root.find(("a", "b", 1))
    assert (y.line, y.column, y.path) == (3, 7, ("a", "b", 1))
    b = root.find(("a", "b"))
    assert (b.key_line, b.key_column, b.line, b.column) == (2, 3, 2, 6)


def test_anchors_and_merge_keys(parse):
    """An alias is its anchor's value; a merge key's mappings lie under the mapping's own keys."""
    root = parse("x: &x {p: 1, q: 2}\ny: {<<: *x, q: 3}\nz: *x\nw: {<<: [*x, {q: 5, r: 6}]}\n")
    assert root.plain()["y"] == {"p": 1, "q": 3}
    assert root.plain()["z"] == {"p": 1, "q": 2}
    assert root.plain()["w"] == {"p": 1, "q": 2, "r": 6}
    assert root.find(("z", "p")).path == ("z", "p")
    assert root.find(("z", "p")).line == 1


def test_merge_patch(parse):
    """Mappings merge, all else is replaced, null removes; places are those of the value's origin."""
    base = parse("a: {b: 1, c: [1, 2], d: {e: 1}}\n")
    patch = parse("\na: {c: [3], d: {e: null, f: {g: null, h: 2}}}\n")
    merged = merge(base, patch)
    assert merged.plain() == {"a": {"b": 1, "c": [3], "d": {"f": {"h": 2}}}}
    assert merged.find(("a", "b")).line == 1
    assert merged.find(("a", "c", 0)).line == 2


@pytest.mark.parametrize(
    ("content", "line", "reason", "remedy"),
    [
        ("", 0, "the file is empty", "start with"),
        ("# only a comment\n", 0, "the file is empty", "start with"),
        ("- a\n- b\n", 1, "holds a list, not a mapping", "start with"),
        ("just text\n", 1, "only the text 'just text'", "start with"),
        ("team: a\n\towners: x\n", 2, "\\t", "indent with spaces"),
        ("team: [a\nb: c\n", 2, "no YAML", "check"),
        ("team: a: b\n", 1, "no YAML", "quotes"),
        ("team: @a\n", 1, "no YAML", "quotes"),
        ("team: a\nteam: b\n", 2, "already used in line 1", "keep one"),
        ("a: {b: 1, b: 2}\nc: 1\nc: 2\n", 1, "already used", "keep one"),
        ("1: a\n", 1, "a key must be text", '"1"'),
        ("? [a]\n: b\n", 1, "a key must be text", "key: value"),
        ("a: 1\n---\nb: 2\n", 2, "second YAML document", "one team, one file"),
        ("a: *b\n", 1, "no anchor &b", "define the anchor"),
        ("a: &a {b: *a}\n", 1, "no anchor &a", "define the anchor"),
        ("a: !!python/object:os.system x\n", 1, "the tag", "remove the tag"),
        ("a: !mine {b: 1}\n", 1, "the tag", "remove the tag"),
        ("a: {<<: 1}\n", 1, "merges mappings only", "anchor"),
        ("a: \x07\n", 1, "control character", "remove"),
        ('a: "\\UFFFFFFFF"\n', 0, "no YAML", "escapes"),
        ("%YAML 9.9\n---\na: 1\n", 1, "no YAML", ""),
        ("team: tiny\n".encode("utf-16"), 0, "UTF-16", "UTF-8"),
        ("team: tiny\n".encode("utf-16-le"), 0, "UTF-16", "UTF-8"),
        ("team: a\nowner: Zoë\n".encode("latin-1"), 2, "is not UTF-8", "UTF-8"),
        (b"# " + b"x" * (1024 * 1024), 0, "larger than 1 MiB", "right file"),
        ("[" * 100_000, 1, "nested more than", "eight"),
        ("a: " + "{b: " * 30 + "1" + "}" * 30, 1, "nested more than", "eight"),
    ],
)
def test_what_is_no_team_file_at_all(refused, content, line, reason, remedy):
    """Whatever the bytes, the error says where, why and what to do."""
    problem = refused(content)[0]
    assert problem.line == line
    assert reason in problem.reason
    assert remedy in problem.remedy


def test_all_duplicate_keys_come_at_once(refused):
    """Mistakes of structure do not hide each other."""
    assert [p.line for p in refused("a: 1\nb: 1\na: 2\nb: 2\n")] == [3, 4]


def test_aliases_cannot_fill_the_memory(refused):
    """Nested aliases that stand for billions of values are refused before they are expanded."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    problem = refused("\n".join(lines))[0]
    assert f"more than {MAX_NODES} values" in problem.reason
    assert problem.line <= 5


def test_aliases_cannot_nest_without_end(refused):
    """Depth counts through aliases."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [[[[*a{n - 1}]]]]" for n in range(1, 12))]
    assert "nested more than" in refused("\n".join(lines))[0].reason


def test_byte_order_mark_and_windows_line_ends_are_fine(project, smallest):
    """Files that Windows editors write load like any other."""
    path = project / "teams" / "tiny.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + smallest.replace("\n", "\r\n").encode())
    assert load_team(path).name == "tiny"


def test_missing_file_and_folder(tmp_path):
    """A path that is no file says so."""
    with pytest.raises(SpecError, match="there is no such file"):
        load_team(tmp_path / "nothing.yaml")
    with pytest.raises(SpecError, match="is a folder"):
        load_team(tmp_path)
    with pytest.raises(SpecError, match="cannot be read"):
        load_team(tmp_path / "a\0b.yaml")
