"""docs/jobs.md against the example teams: every job, as its team has it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from atelier import embedded

PAGE = (embedded.ROOT / "docs/jobs.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### ([\w-]+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
ENTRY = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
FOLDER = re.compile(r"its page is\s+\[[\w/]+\]\(\.\./([\w/]+)/README\.md\)")
TEAM = re.compile(r"\(\.\./(teams/\w+\.yaml)\)")


def parsed(text: str) -> Any:
    """A YAML text's value."""
    return YAML(typ="safe", pure=True).load(text)


TEAMS = {
    f"teams/{path.name}": parsed(path.read_text(encoding="utf-8"))
    for path in sorted((embedded.ROOT / "teams").glob("*.yaml"))
}
JOBS = sorted({job for content in TEAMS.values() for job in content["jobs"]})


def test_every_job_of_the_example_teams_has_a_section():
    """And there is none of a job that no team has."""
    assert sorted(SECTIONS) == JOBS


@pytest.mark.parametrize("job", JOBS)
def test_a_job_stands_in_the_table_with_its_command(job):
    """The row of the table leads to the section and names the command that shows the job."""
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| [{job}](#{job}) |")]
    assert f"`make demo JOB={job}`" in row


@pytest.mark.parametrize("job", JOBS)
def test_a_jobs_row_names_the_row_of_the_requirements(job):
    """One at least, before what it shows; those of its folder's page, where the section names one."""
    [rows] = re.findall(rf"^\| \[{job}\]\(#{job}\) \| (S\d+(?:, S\d+)*): ", PAGE, re.MULTILINE)
    assert {int(row[1:]) for row in rows.split(", ")} <= set(range(1, 15))
    for folder in FOLDER.findall(SECTIONS[job]):
        page = (embedded.ROOT / folder / "README.md").read_text(encoding="utf-8")
        assert re.findall(r"^Source rows?: (.+)\.$", page, re.MULTILINE) == [rows]


@pytest.mark.parametrize("job", JOBS)
def test_a_jobs_part_of_the_team_file_is_shown_as_it_is(job):
    """The section names a team file, and quotes the job as that has it."""
    [team] = TEAM.findall(SECTIONS[job])
    [entry] = ENTRY.findall(SECTIONS[job])
    assert parsed(entry)["jobs"] == {job: TEAMS[team]["jobs"][job]}


def test_links_lead_to_files_and_headings_that_exist():
    """Relative links of the page."""
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        if path.startswith("https:"):
            continue
        assert (embedded.ROOT / "docs" / path).exists(), target
        assert path or anchor in headings, target
