"""An environment that keeps what holds data: its removal takes all but that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atelier.demo.cdk import Cdk
from tests.local.environment import TeamEnvironment
from tests.local.inventory import inventory, more
from tests.local.whole import ACCOUNT

TEAM = """\
team: keeper
owners: [keeper-leads@example.com]
environments:
  dev:
    account: "111122223333"
    region: eu-west-1
    retain: true
    termination_protection: false
    network: {mode: created, cidr: 10.79.0.0/16}
images:
  tools: {}
jobs:
  curve: {script: curve_sklearn, framework: sklearn}
studio:
  users:
    ada: {}
"""
BUCKETS = {f"keeper-dev-{kind}-{ACCOUNT}-eu-west-1" for kind in ("artifacts", "data", "logs")}
DATA = f"keeper-dev-data-{ACCOUNT}-eu-west-1"


def test_what_holds_data_outlives_the_stacks(cdk: Cdk, client: Callable[[str], Any], tmp_path: Path) -> None:
    """It stays as it is, also when a second deployment finds the names taken, and rolls back."""
    before = inventory(client, ACCOUNT)
    file = tmp_path / "keeper.yaml"
    file.write_text(TEAM)
    keeper = TeamEnvironment.of(replace(cdk, logs=tmp_path, team="keeper"), file)
    assert keeper.synth().returncode == 0
    keeper.deploy()
    sagemaker, s3 = client("sagemaker"), client("s3")
    s3.put_object(Bucket=DATA, Key="kept", Body=b"1")
    [domain] = [one["DomainId"] for one in sagemaker.list_domains()["Domains"]]
    home = sagemaker.describe_domain(DomainId=domain)["HomeEfsFileSystemId"]
    key = client("kms").describe_key(KeyId="alias/keeper-dev")["KeyMetadata"]["KeyId"]

    done = keeper.destroy()
    assert done.returncode == 0, done.stdout + done.stderr
    kept = {
        "ecr describe_repositories": {"keeper-dev/tools"},
        "efs describe_file_systems": {home},
        "kms list_keys": {key},
        "logs describe_log_groups": {"/aws/vpc/keeper-dev-flow-logs"},
        "s3 list_buckets": BUCKETS,
        "sagemaker list_model_package_groups": {"keeper-dev-curve"},
    }
    assert more(inventory(client, ACCOUNT), before) == kept

    with pytest.raises(AssertionError, match=f"keeper-dev-[a-z]+-{ACCOUNT}-eu-west-1 already exists"):
        keeper.deploy()
    assert keeper.destroy().returncode == 0
    assert more(inventory(client, ACCOUNT), before) == kept
    assert s3.get_object(Bucket=DATA, Key="kept")["Body"].read() == b"1"
