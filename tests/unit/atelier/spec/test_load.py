from __future__ import annotations

from pathlib import Path

import pytest

from atelier.spec import SpecError, load_team, load_teams
from atelier.spec.jobs import Schedule, Upload


def write(project: Path, name: str, text: str) -> Path:
    """Write a team file into the project."""
    path = project / "teams" / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def folder(project, tmp_path):
    """A fresh folder of teams in a project with scripts."""
    (tmp_path / "training_scripts").symlink_to(project / "training_scripts")
    (tmp_path / "teams").mkdir()
    return tmp_path / "teams"


def test_ten_lines_are_a_useful_team(project, smallest):
    """The smallest useful file has ten lines, and every default is filled in."""
    assert len(smallest.splitlines()) == 10
    team = load_team(write(project, "tiny", smallest))
    dev = team.environments["dev"]
    job = dev.jobs["curve"]
    assert job.sources == {"train": "curve/train/", "validation": "curve/validation/"}
    assert job.triggers == [Upload(upload=["train", "validation"])]
    assert job.framework is not None
    assert (job.framework.name, job.framework.version) == ("sklearn", "1.9-0")
    assert dev.notify == ["you@example.com"]
    assert team.warnings == []


def test_declared_values_survive(project, rich):
    """What a file says reaches the environment; nothing is replaced by a default."""
    dev = load_team(write(project, "vision", rich)).environments["dev"]
    job = dev.jobs["curve"]
    assert job.hyperparameters == {"units": 10, "rate": 0.5, "shuffle": True, "solver": "adam"}
    assert job.triggers == [Upload(upload=["train"]), Schedule(schedule="cron(0 6 * * ? *)")]
    assert dev.jobs["other"].triggers == []
    assert set(dev.endpoints) == {"curve", "spare"}
    assert dev.endpoints["curve"].scaling is not None


def test_override_changes_one_environment_only(project, rich):
    """An override merges mappings, replaces lists, removes with null, and leaves the rest and the others."""
    team = load_team(write(project, "vision", rich))
    dev, prod = team.environments["dev"], team.environments["prod"]
    assert prod.jobs["curve"].instances == ["ml.c5.xlarge"]
    assert prod.jobs["curve"].gate is not None
    assert (prod.jobs["curve"].gate.metric, prod.jobs["curve"].gate.at_most) == ("validation:rmse", 180)
    assert prod.jobs["curve"].hyperparameters == dev.jobs["curve"].hyperparameters | {"units": 20}
    assert set(prod.endpoints) == {"curve"}
    assert prod.notify == ["ops@example.com"]
    assert dev.jobs["curve"].instances == ["ml.m5.large", "ml.m5.xlarge"]


def test_only_the_named_team_is_read(folder, smallest):
    """With a team's name no other file is opened, broken ones included."""
    (folder / "tiny.yaml").write_text(smallest)
    (folder / "broken.yaml").write_text("[")
    assert [(one.team, one.name) for one in load_teams(folder, "tiny", "dev")] == [("tiny", "dev")]
    with pytest.raises(SpecError, match=r"broken\.yaml"):
        load_teams(folder)


def test_all_problems_of_all_files_come_at_once(folder, smallest):
    """Every file's problems are reported together, in the order of files and lines."""
    (folder / "a.yaml").write_text("team: a\nowner: x\n")
    (folder / "b.yaml").write_text("")
    with pytest.raises(SpecError) as caught:
        load_teams(folder)
    assert [(p.file.name, p.path) for p in caught.value.problems] == [
        ("a.yaml", "environments"),
        ("a.yaml", "owners"),
        ("a.yaml", "owner"),
        ("b.yaml", ""),
    ]


@pytest.mark.parametrize(
    ("team", "env", "says"),
    [
        ("tinny", None, "did you mean tiny?"),
        ("../tiny", None, "there is no team"),
        ("tiny", "prod", "no environment is named prod"),
        (None, "prod", "no environment is named prod"),
    ],
)
def test_unknown_team_or_environment_names_the_known(folder, smallest, team, env, says):
    """A selection that matches nothing says what there is."""
    (folder / "tiny.yaml").write_text(smallest)
    with pytest.raises(SpecError, match=says.replace("?", r"\?")):
        load_teams(folder, team, env)


def test_env_alone_selects_it_in_every_team(folder, smallest):
    """Without a team, an environment's name selects it in each team that has it."""
    (folder / "tiny.yaml").write_text(smallest)
    (folder / "other.yaml").write_text(smallest.replace("tiny", "other").replace("dev:", "stage:"))
    assert [one.team for one in load_teams(folder, env="stage")] == ["other"]
    assert [one.team for one in load_teams(folder)] == ["other", "tiny"]


def test_two_teams_may_share_an_account(folder, smallest):
    """Names carry team and environment, so that account and region may be shared."""
    for team in ("one", "two"):
        (folder / f"{team}.yaml").write_text(smallest.replace("tiny", team))
    assert {one.account for one in load_teams(folder)} == {"111122223333"}


def test_a_yml_file_is_not_overlooked(folder, smallest):
    """A file whose name ends in .yml would be skipped silently; it is refused with the name to give it."""
    (folder / "tiny.yml").write_text(smallest)
    with pytest.raises(SpecError, match=r"rename it to tiny\.yaml"):
        load_teams(folder)


def test_a_file_has_its_teams_name(project, smallest):
    """A copied file whose team was renamed, or the reverse, is refused: two files cannot be one team."""
    with pytest.raises(SpecError, match=r"belongs in tiny\.yaml"):
        load_team(write(project, "copy", smallest))


@pytest.mark.parametrize("folder_exists", [True, False])
def test_no_team_files(tmp_path, folder_exists):
    """An empty or missing folder says where to put a team file."""
    teams = tmp_path / "teams"
    if folder_exists:
        teams.mkdir()
    with pytest.raises(SpecError, match=r"teams/<team>\.yaml"):
        load_teams(teams)


def test_shipped_teams_are_right():
    """The example teams load without a problem."""
    assert load_teams(Path(__file__).parents[4] / "teams")


def test_warns_of_an_inference_image_older_than_the_training_image(project, smallest):
    """PyTorch is served by an older image than it is trained with: allowed, and said."""
    text = smallest.replace("sklearn", "pytorch")
    assert any("served by the image of 2.6.0" in w for w in load_team(write(project, "tiny", text)).warnings)


def test_the_documented_examples_load(project, refused, smallest):
    """The ten lines and the error in docs/team-file.md are what a reader will see."""
    page = (Path(__file__).parents[4] / "docs/team-file.md").read_text(encoding="utf-8")
    ten_lines = page.split("```yaml\n")[1].split("```")[0]
    assert ten_lines.replace("curve_sklearn", "curve") == smallest
    problem = str(refused(smallest.replace("framework: sklearn", "framework: sklaern"))[0])
    shown = problem[problem.index("teams/") :].replace("\n", "\n    ")
    assert f"    {shown}\n" in page
