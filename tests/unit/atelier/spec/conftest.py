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
  dev:
    account: "111122223333"
    region: eu-west-1
    network:
      mode: created
      cidr: 10.1.0.0/20
      zones: 3
      internet: nat
      allow: ["*.pypi.org"]
      flow_logs: false
      endpoints: shared
  prod:
    account: "444455556666"
    region: us-east-1
    retain: true
    termination_protection: false
    approval: manual
    notify: [ops@example.com]
    network:
      mode: existing
      vpc: vpc-0a1b2c3d
      subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]
      security_groups: [sg-0a1b2c3d]
    budget: {monthly_usd: 4000, alerts: [50, 100], stop_at_limit: true}
    override:
      jobs:
        curve:
          instances: [ml.c5.xlarge]
          gate: {at_most: 180}
          hyperparameters: {units: 20}
      endpoints:
        spare: null
images:
  own: {keep: 5, pull_from_accounts: ["777788889999"]}
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
studio:
  sign_in: sso
  identity_center: arn:aws:sso:::instance/ssoins-0123456789abcdef
  internet: public
  roles: user
  instances: [ml.t3.medium, ml.m5.large]
  storage_gb: {default: 10, max: 50}
  idle_minutes: {default: 90, min: 60, max: 120}
  sharing: false
  repositories: ["https://github.com/example/one.git"]
  jumpstart: false
  project_templates: true
  hidden_tools: [AutoMl]
  docker: true
  lifecycle: {jupyterlab: [install_packages], code_editor: [git_identity]}
  packages: packages.txt
  users:
    jane:
      persona: admin
      instances: [ml.m5.large]
      storage_gb: {max: 500}
      idle_minutes: {max: 480}
      sso_user: jane@example.com
      git_name: Jane Doe
      git_email: jane@example.com
    joe: {sso_user: joe}
  spaces:
    lab: {app: code_editor, owner: jane, shared: true, instance: ml.m5.large, storage_gb: 100}
    desk: {owner: joe}
  images:
    own: {image: own, tag: "1.4.0", app: jupyterlab}
notebooks:
  bench:
    instance: ml.g5.xlarge
    volume_gb: 200
    lifecycle: [docker_data_directory]
    repository: https://github.com/example/one.git
    idle_minutes: 60
    stop_at: cron(0 19 * * ? *)
    owner: jane
guardrails:
  training_instances: [ml.m5.*, ml.c5.*]
  endpoint_instances: [ml.m5.*]
  studio_instances: [ml.t3.*, ml.m5.large]
  notebook_instances: [ml.g5.xlarge]
  max_runtime_minutes: 120
  network_isolation: false
  require_vpc: true
"""

SCRIPTS = {
    "install_packages": "echo $ATELIER_PACKAGES",
    "clone_repositories": "echo $ATELIER_REPOSITORIES",
    "git_identity": "echo $ATELIER_IDENTITIES",
    "docker_data_directory": "only_in_notebooks",
    "auto_stop": "echo $ATELIER_IDLE_MINUTES",
    "long": "#" * 10_000,
    "too_long": "#" * 12_000,
    "latin": "# caf\xe9",
    "windows": "echo 1\r\n",
}
"""Lifecycle scripts of the test project."""


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
    (root / "lifecycle_scripts").mkdir()
    for name, content in SCRIPTS.items():
        (root / f"lifecycle_scripts/{name}.sh").write_bytes(content.encode("latin-1"))
    (root / "packages.txt").write_text("requests==2.32.0\n")
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
