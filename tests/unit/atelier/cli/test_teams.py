"""`atelier teams` and `atelier new-team`."""

from __future__ import annotations

import json
import re

import pytest

from atelier.cli.new_team import TEMPLATE
from atelier.spec import load_team
from atelier.spec.model import TeamFile

OTHER = """\
team: other
owners: [you@example.com]
environments:
  dev:
    account: "111122223333"
    region: eu-west-1
    network: {mode: created}
    budget: {monthly_usd: 1500}
  prod:
    account: "444455556666"
    region: us-east-1
    budget: {monthly_usd: 2000}
    override: {studio: null, notebooks: null}
studio: {users: {jane: {}, joe: {persona: reviewer}}}
notebooks: {bench: {}}
"""


def test_teams_lists_every_environment(atelier, project):
    """Each environment is a line with place, counts and budget; the budgets are summed."""
    (project / "teams/other.yaml").write_text(OTHER)
    lines = [line.split() for line in atelier("teams").stdout.splitlines()]
    assert lines[1:] == [
        ["other", "dev", "111122223333", "eu-west-1", "2", "0", "0", "1", "$1,500"],
        ["other", "prod", "444455556666", "us-east-1", "0", "0", "0", "0", "$2,000"],
        ["tiny", "dev", "111122223333", "eu-west-1", "0", "2", "2", "0", "none"],
        ["$3,500"],
    ]


def test_teams_as_json_names_users_jobs_and_endpoints(atelier, project):
    """Programs get names instead of counts."""
    (project / "teams/other.yaml").write_text(OTHER)
    first, _, last = json.loads(atelier("teams", "--json").stdout)
    assert (first["users"], first["notebooks"], first["monthly_usd"]) == (["jane", "joe"], ["bench"], 1500)
    assert (last["jobs"], last["endpoints"], last["monthly_usd"]) == (
        ["curve", "bare"],
        ["curve", "mute"],
        None,
    )


def test_a_new_team_is_right_as_it_is_written(atelier, project):
    """The file loads with what was given; what was not is named as an example's."""
    result = atelier("new-team", "fresh", "--account", "999988887777", "--region", "us-east-1")
    assert result.exit_code == 0
    assert "teams/fresh.yaml is written" in result.stdout
    assert "an example's owner you@example.com: put in your own" in result.stdout
    dev = load_team(project / "teams/fresh.yaml").environments["dev"]
    assert (dev.account, dev.region, dev.owners) == ("999988887777", "us-east-1", ["you@example.com"])


def test_what_was_given_is_no_example(atelier, project):
    """Also where it happens to be what the example says."""
    result = atelier("new-team", "fresh", "--account", "111122223333", "--owner", "me@example.com")
    assert "example's" not in result.stdout
    assert "an example's account 111122223333 and owner you@" in atelier("new-team", "other").stdout


def test_a_new_team_is_right_with_all_its_comments_switched_on(atelier, project):
    """Every line that the file offers may be used, all of them together."""
    atelier("new-team", "fresh", "--owner", "me@example.com")
    path = project / "teams/fresh.yaml"
    path.write_text(re.sub(r"^( *)#(?=\w)", r"\1", path.read_text(), flags=re.MULTILINE))
    (project / "training_scripts/curve").rename(project / "training_scripts/curve_sklearn")
    dev, prod = load_team(path).environments.values()
    assert dev.studio is not None
    assert (list(dev.studio.users), dev.network.mode, prod.studio) == (["jane", "joe"], "created", None)
    assert prod.jobs["curve"].instances == ["ml.c5.xlarge"]


def test_a_team_that_exists_is_not_written_over(atelier, project):
    """An existing file stays as it is."""
    before = (project / "teams/tiny.yaml").read_text()
    result = atelier("new-team", "tiny")
    assert (result.exit_code, "is there already" in result.stderr) == (1, True)
    assert (project / "teams/tiny.yaml").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Fresh"], "'Fresh' is no name for a team: it must be lower-case letters and digits"),
        (["../fresh"], "is no name for a team"),
        (["fresh\n"], "is no name for a team"),
        (["f" * 21], "20 are allowed"),
        (["fresh", "--account", "12"], "12: must be an AWS account"),
        (
            ["fresh", "--region", "eu-wast-1"],
            "eu-wast-1: SageMaker has no such region; did you mean eu-west-1?",
        ),
        (["fresh", "--owner", "me"], "me: must be an e-mail address"),
        (["fresh", "--owner", 'a@b.c", "x: y'], "must be an e-mail address"),
    ],
)
def test_a_wrong_new_team_is_refused(atelier, project, arguments, says):
    """What would not load is not written; the message names the value and the remedy."""
    result = atelier("new-team", *arguments)
    assert result.exit_code == 1
    assert says in result.stderr
    assert [path.name for path in (project / "teams").iterdir()] == ["tiny.yaml"]


def test_the_first_team_makes_the_folder(atelier, project):
    """In a project without teams the folder is made."""
    (project / "teams/tiny.yaml").unlink()
    (project / "teams").rmdir()
    assert atelier("new-team", "first").exit_code == 0
    assert load_team(project / "teams/first.yaml").name == "first"


def test_the_new_file_is_short_of_no_group():
    """The template names every group of fields of a team file."""
    groups = set(re.findall(r"^#?(\w+):", TEMPLATE.read_text(), flags=re.MULTILINE))
    assert groups == set(TeamFile.model_fields)
