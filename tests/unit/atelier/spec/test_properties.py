from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atelier.spec import SpecError, load_team, load_teams, load_to_deploy
from atelier.spec.base import Model, Short
from atelier.spec.document import Node, merge, read
from atelier.spec.model import Team, TeamEnvironment

MODELS = {*Model.__subclasses__(), *Short.__subclasses__()} - {Short, Team, TeamEnvironment}
FIELDS = sorted({field for model in MODELS for field in model.model_fields})
NAMED_BY_USERS = {"arguments", "hyperparameters", "metrics", "channels", "images"}

# The fixtures hold folders, which the examples of one test may share.
shared = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
quick = settings(shared, max_examples=60)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(FIELDS)
)
keys = st.one_of(st.sampled_from(FIELDS), st.sampled_from(["dev", "curve", "train"]), st.text(max_size=4))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
marks = ": |  |- |[|]|{|}|,|'|\"|#|&a|*a|<<|>|!|!!int|%|---|...|\t|?|\\|\\x|\\U|~|1|é|\x85|\ufeff|\r|\n"
snippets = st.lists(st.sampled_from([*FIELDS, "|", *marks.split("|")]), max_size=40).map("".join)


def loads_or_refuses(path: Path, content: bytes) -> None:
    """Load some bytes: anything but a team or a `SpecError` fails the test."""
    path.write_bytes(content)
    with suppress(SpecError):
        load_team(path)


@shared
@given(text=st.one_of(st.text(), snippets))
def test_any_text_is_a_team_or_a_spec_error(project, text):
    """No text makes loading raise anything but a `SpecError`."""
    loads_or_refuses(project / "teams" / "any.yaml", text.encode("utf-8", "surrogatepass"))


@quick
@given(content=st.binary())
def test_any_bytes_are_a_team_or_a_spec_error(project, content):
    """No bytes do."""
    loads_or_refuses(project / "teams" / "any.yaml", content)


@shared
@given(value=values)
def test_any_structure_is_a_team_or_a_spec_error(project, value):
    """No structure of YAML values does, whatever stands under the known keys."""
    loads_or_refuses(project / "teams" / "any.yaml", json.dumps(value).encode())


@shared
@given(data=st.data())
def test_a_team_file_with_any_part_replaced_is_a_team_or_a_spec_error(project, rich, data):
    """No value in the place of a right one does."""
    path = project / "teams" / "vision.yaml"
    path.write_text(rich)
    content = read(path).plain()
    parent = content
    while True:
        key = data.draw(st.sampled_from(sorted(parent) if isinstance(parent, dict) else range(len(parent))))
        if not isinstance(parent[key], (dict, list)) or not parent[key] or data.draw(st.booleans()):
            break
        parent = parent[key]
    parent[key] = data.draw(values)
    loads_or_refuses(path, json.dumps(content).encode())


def nodes(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    below = node.value.values() if isinstance(node.value, dict) else node.value
    for child in below if isinstance(node.value, (dict, list)) else ():
        yield from nodes(child)


@pytest.fixture(scope="module")
def tree(project, rich) -> list[Node]:
    """Every node of the rich file."""
    path = project / "teams" / "vision.yaml"
    path.write_text(rich)
    return list(nodes(read(path)))


@pytest.fixture(scope="module")
def keys_of_rich(tree) -> list[tuple[str, int, int]]:
    """Each key that the schema names, with its line and column."""
    return [
        (str(node.path[-1]), node.key_line, node.key_column)
        for node in tree
        if node.key_line and node.path[-1] in FIELDS and not NAMED_BY_USERS & set(node.path[:-1])
    ]


@pytest.fixture(scope="module")
def scalars_of_rich(tree) -> list[tuple[str, int, int]]:
    """Each scalar as written, with its line and column."""
    return [(n.written, n.line, n.column) for n in tree if n.written and n.value is not None]


def replaced(text: str, line: int, column: int, old: str, new: str) -> str:
    """The text with `old`, which stands at a place, replaced."""
    lines = text.splitlines(keepends=True)
    before, after = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
    assert after.startswith(old)
    lines[line - 1] = before + new + after[len(old) :]
    return "".join(lines)


@quick
@given(data=st.data())
def test_a_misspelt_key_is_found_in_its_line(refused, rich, keys_of_rich, data):
    """A key with one letter too few or too many is refused in its line, with the right spelling."""
    key, line, column = data.draw(st.sampled_from(keys_of_rich))
    at = data.draw(st.integers(0, len(key) - 1))
    wrong = data.draw(st.sampled_from([key[:at] + key[at + 1 :], key[:at] + key[at] + key[at:]]))
    problems = refused(replaced(rich, line, column, key, wrong), "vision")
    remedies = [p.remedy for p in problems if p.line == line]
    assert any(key in remedy for remedy in remedies), "\n\n".join(map(str, problems))


@quick
@given(data=st.data())
def test_a_broken_value_is_found_in_its_place(refused, rich, scalars_of_rich, data):
    """A mapping where a scalar belongs is refused in its line and column."""
    written, line, column = data.draw(st.sampled_from(scalars_of_rich))
    start = rich.splitlines()[line - 1][column - 1 :]
    quote = start[0] if start[0] in "'\"" else ""
    problems = refused(replaced(rich, line, column, f"{quote}{written}{quote}", "{x: y}"), "vision")
    # An unknown key in a mapping is shown at the key, everything else at the mapping.
    assert {(p.line, p.column) for p in problems} & {(line, column), (line, column + 1)}


plain = st.recursive(
    st.none() | st.integers(0, 9) | st.sampled_from("xyz"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)
mappings = st.dictionaries(st.sampled_from("abcd"), plain, max_size=4)


def rfc_7396(target: object, patch: object) -> object:
    """The pseudo-code of RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = rfc_7396(result.get(key), value)
    return result


@shared
@given(base=mappings, patch=mappings)
def test_overrides_merge_as_the_standard_says(tmp_path, base, patch):
    """Merging is RFC 7396's, and merging twice is merging once."""
    node = {}
    for name, content in {"base": base, "patch": patch}.items():
        path = tmp_path / name
        path.write_text(json.dumps(content))
        node[name] = read(path)
    once = merge(node["base"], node["patch"])
    assert once.plain() == rfc_7396(base, patch)
    assert merge(once, node["patch"]).plain() == once.plain()
    assert {key: once.plain()[key] for key in base if key not in patch} == {
        key: value for key, value in base.items() if key not in patch
    }


def test_one_team_costs_the_same_beside_two_hundred(project, smallest, tmp_path):
    """Reading one team does not become slower with the number of teams."""
    (tmp_path / "training_scripts").symlink_to(project / "training_scripts")
    seconds = {}
    for count in (1, 200):
        folder = tmp_path / f"teams{count}"
        folder.mkdir()
        for number in range(count):
            (folder / f"t{number}.yaml").write_text(smallest.replace("tiny", f"t{number}"))
        runs = []
        for _ in range(20):
            start = time.perf_counter()
            assert load_teams(folder, "t0", "dev")
            runs.append(time.perf_counter() - start)
        seconds[count] = min(runs)
    assert seconds[200] < 2 * seconds[1]


def test_other_networks_are_looked_for_without_parsing_every_file(project, smallest, tmp_path):
    """A team is compared with a hundred networks of its account in a fraction of the time to read them."""
    (tmp_path / "training_scripts").symlink_to(project / "training_scripts")
    folder = tmp_path / "teams"
    folder.mkdir()
    for number in range(1, 101):
        network = f"eu-west-1, network: {{mode: created, cidr: 10.{number}.0.0/16}}}}"
        text = smallest.replace("tiny", f"t{number}").replace("eu-west-1}", network)
        (folder / f"t{number}.yaml").write_text(text)
    start = time.perf_counter()
    assert load_to_deploy(folder, "t1", "dev")
    one = time.perf_counter() - start
    start = time.perf_counter()
    assert load_teams(folder)
    assert one < (time.perf_counter() - start) / 5
