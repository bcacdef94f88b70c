from __future__ import annotations

import json
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
  topics:
    algorithm: {name: blazingtext, version: "1"}
    instances: [ml.c5.2xlarge]
    prepare_script: topics_blazingtext
    prepare:
      program: prepare.py
      framework: {name: sklearn, version: "1.9"}
      instance: ml.m5.xlarge
      volume_gb: 40
      max_runtime_minutes: 60
      arguments: {keep: 0.2}
      inputs: {topics: topics/data/}
      outputs: [classes]
    triggers: [{upload: [topics], marker: train.csv}]
    channels:
      train: {mode: File}
      validation: {prefix: topics/validation/, content_type: text/plain}
    hyperparameters: {mode: supervised, epochs: 20, learning_rate: 0.05, early_stopping: true}
    gate: {metric: validation:accuracy, at_least: 0.9}
    transform:
      prepared: test
      content_type: application/jsonlines
      split: Line
      accept: application/jsonlines
      join: false
      instance: ml.m5.large
      instance_count: 3
    experiment: topics-first
  many:
    script: curve
    framework: pytorch
    instance_count: 2
    distribution: torchrun
    checkpoints: true
    spot: {max_wait_minutes: 1600}
    metrics: [validation:loss]
    tuning:
      objective: {metric: validation:loss, goal: minimize}
      ranges:
        rate: {min: 0.001, max: 0.1, scale: logarithmic}
        layers: {min: 1, max: 4}
        solver: [adam, lbfgs]
      max_jobs: 4
      parallel: 2
      strategy: random
      early_stopping: true
    transform: {input: many/batch/}
  iris:
    image: {name: own, tag: "2.0.0"}
  pinned:
    image: {name: own, digest: "sha256:2d4f9d4a3c3c6a9a4b1d7e0b1f7c3a5d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"}
  tuned:
    jumpstart:
      model: some-model
      version: "1.0.0"
      hub: ours
      accept_licence: true
      artifact: s3://jumpstart-cache-prod-{region}/infer.tar.gz
      framework: {name: pytorch}
      image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/serve:1"
      training:
        artifact: s3://jumpstart-cache-prod-{region}/train.tar.gz
        script: s3://jumpstart-cache-prod-{region}/sourcedir.tar.gz
        program: transfer_learning.py
        image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/train:1"
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


HYPERPARAMETERS = {
    "epochs": {"type": "integer", "default": 20, "minimum": 1, "maximum": 100, "tunable": True},
    "rate": {"type": "number", "minimum": 0, "maximum": 1, "tunable": True, "help": "the step size"},
    "solver": {"type": "string", "default": "adam", "choices": ["adam", "lbfgs"], "tunable": True},
    "shuffle": {"type": "boolean", "default": True},
}
ARGUMENTS = {"keep": {"type": "number", "default": 0.2, "minimum": 0, "maximum": 1}}
"""What the script `declared` declares."""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with scripts.

    `curve` can serve, `mute` cannot, `topics_blazingtext` only prepares, `declared` says what it takes.
    """
    root = tmp_path_factory.mktemp("project")
    (root / "teams").mkdir()
    folders = {
        "curve": ["train.py", "inference.py"],
        "mute": ["train.py"],
        "topics_blazingtext": ["prepare.py"],
        "declared": ["train.py", "inference.py", "prepare.py"],
    }
    for script, files in folders.items():
        for file in files:
            path = root / "training_scripts" / script / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    for file, content in {"hyperparameters.json": HYPERPARAMETERS, "prepare.json": ARGUMENTS}.items():
        (root / "training_scripts/declared" / file).write_text(json.dumps(content))
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
