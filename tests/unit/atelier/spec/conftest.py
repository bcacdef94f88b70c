from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from atelier.spec import Problem, SpecError, load_team

SMALLEST = """\
team: tiny
owners: [you@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1}
jobs:
  curve:
    script: curve
    framework: sklearn
endpoints:
  curve: {job: curve}
"""

RICH = """\
team: vision
owners: [you@example.com, me@example.com]
cost_centre: "4711"
environments:
  dev: {account: "111122223333", region: eu-west-1}
  prod:
    account: "444455556666"
    region: us-east-1
    retain: true
    approval: manual
    notify: [ops@example.com]
    override:
      jobs:
        curve:
          instances: [ml.c5.xlarge]
          gate: {at_most: 180}
          hyperparameters: {units: 20}
      endpoints:
        spare: null
images:
  own: {keep: 5}
jobs:
  curve:
    script: curve
    framework: {name: sklearn, version: "1.9"}
    instances: [ml.m5.large, ml.m5.xlarge]
    instance_count: 1
    volume_gb: 50
    max_runtime_minutes: 60
    channels:
      train: curve/train/
      validation: curve/validation/
    hyperparameters:
      units: 10
      rate: 0.5
      shuffle: true
      solver: adam
    metrics:
      validation:rmse: 'validation:rmse=([0-9.]+)'
    gate: {metric: validation:rmse, at_most: 190}
    triggers:
      - upload: [train]
      - schedule: cron(0 6 * * ? *)
  other:
    script: mute
    framework: xgboost
    triggers: []
endpoints:
  curve:
    job: curve
    instance: ml.m5.large
    instance_count: 2
    sample: {content_type: text/csv, body: "100"}
    scaling: {min_instances: 1, max_instances: 4, invocations_per_instance: 500}
  spare:
    job: curve
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with two scripts: `curve`, which can serve, and `mute`, which cannot."""
    root = tmp_path_factory.mktemp("project")
    (root / "teams").mkdir()
    for script, files in {"curve": ["train.py", "inference.py"], "mute": ["train.py"]}.items():
        for file in files:
            path = root / "training_scripts" / script / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (root / "training_scripts" / "empty").mkdir()
    return root


@pytest.fixture(scope="session")
def smallest() -> str:
    """A useful team in ten lines."""
    return SMALLEST


@pytest.fixture(scope="session")
def rich() -> str:
    """A team file that uses every key."""
    return RICH


@pytest.fixture(scope="session")
def refused(project: Path) -> Callable[[str | bytes, str], tuple[Problem, ...]]:
    """Loads a text as a team file that must be wrong, and gives its problems."""

    def load(text: str | bytes, name: str = "tiny") -> tuple[Problem, ...]:
        path = project / "teams" / f"{name}.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            load_team(path)
        except SpecError as error:
            return error.problems
        raise AssertionError(f"loaded without an error:\n{text!r}")

    return load
