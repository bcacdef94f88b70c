"""A team's whole environment: everything switched on, changed in many ways while in use, and removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from atelier import embedded
from atelier.demo.cdk import Cdk
from atelier.spec import record
from tests.local.changes import CHANGES, Change
from tests.local.environment import TeamEnvironment
from tests.local.inventory import inventory, more
from tests.local.whole import ACCOUNT, WORK, Whole, wait

ORIGINAL = embedded.ROOT / "teams" / "research.yaml"
STAYS = {"logs describe_log_groups": {"/aws/sagemaker/TrainingJobs"}}
"""What AWS makes for a whole account."""


@pytest.fixture(scope="module")
def whole(cdk: Cdk, client: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The example team with everything switched on: deployed, and at work."""
    folder = tmp_path_factory.mktemp("research")
    environment = TeamEnvironment.of(replace(cdk, logs=folder, team="research"), ORIGINAL)
    found = Whole(environment, client, inventory(client, ACCOUNT), folder)
    assert environment.synth().returncode == 0
    # Studio offers an image of the team's own: by then it must be in its repository.
    environment.deploy("registry")
    found.push("1.0.0")
    environment.deploy()
    found.begin_to_work()
    wait(lambda: found.at_work() == WORK)
    return found


@pytest.mark.parametrize("change", CHANGES, ids=[change.name for change in CHANGES])
def test_a_change_of_the_file_is_that_change_alone(whole: Whole, change: Change) -> None:
    """`cdk diff` says what changes and replaces nothing else, `cdk deploy` does it, and work goes on."""
    change.before(whole)
    environment = whole.environment
    environment.edit(change.patch)
    differences = environment.diff()
    said = {str(difference) for difference in differences}
    unexpected = {line for line in said if not any(fnmatchcase(line, told) for told in change.says)}
    missing = {told for told in change.says if not any(fnmatchcase(line, told) for line in said)}
    assert (unexpected, missing) == (set(), set())
    if change.everywhere:
        environment.deploy()
    else:
        environment.deploy(*{difference.stack for difference in differences}, alone=True)
    change.effect(whole)
    assert whole.at_work() == WORK


def test_a_change_that_would_replace_the_domain_is_refused(whole: Whole) -> None:
    """Before anything is touched, with the place, the reason and the remedy."""
    environment, spec = whole.environment, whole.spec
    text = environment.file.read_text()
    fixed = record.fixed(spec.name, spec.network, spec.studio, notebooks=bool(spec.notebooks))
    written = record.write(environment.file, {spec.name: fixed})
    environment.edit({"environments": {"dev": {"network": {"cidr": "10.30.0.0/16"}}}})
    refused = environment.synth()
    environment.file.write_text(text)
    written.unlink()
    assert refused.returncode != 0
    assert "environments.dev.network.cidr" in refused.stderr
    assert "the VPC, and with it Studio's domain and the notebook instances" in refused.stderr


def test_nothing_is_left_of_what_was_in_use(whole: Whole) -> None:
    """`cdk destroy` ends what runs, empties what holds things, and removes all that has come."""
    assert whole.at_work() == WORK
    assert whole.notebook()["NotebookInstanceStatus"] == "InService"
    journey, began = whole.upload("curve", skip=1)  # the same data again would be the same run
    assert journey.training_run(began)
    done = whole.environment.destroy()
    assert done.returncode == 0, done.stdout + done.stderr
    left = more(inventory(whole.client, ACCOUNT), whole.before)
    assert {kind: items for kind, items in left.items() if items - STAYS.get(kind, set())} == {}
