"""What holds state keeps its logical ID and what names it: a change of either replaces it, with all it holds.

stateful.json is the record. Where a change is meant (a new resource, a migration), write it anew:

    RECORD_STATEFUL=1 .venv/bin/pytest tests/infra/test_stateful.py

and say in the commit what becomes of the data of environments that are deployed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

STAGES = ("audio-dev", "research-dev")
"""A plain one, and one with everything switched on."""
RECORD = Path(__file__).with_name("stateful.json")
REPLACED_BY = {
    "AWS::EC2::Subnet": ("CidrBlock",),
    "AWS::EC2::VPC": ("CidrBlock",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::KMS::Key": (),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SageMaker::Domain": ("AuthMode", "DomainName", "KmsKeyId", "VpcId"),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName",),
    "AWS::SageMaker::NotebookInstance": (
        "DirectInternetAccess",
        "KmsKeyId",
        "NotebookInstanceName",
        "PlatformIdentifier",
        "SecurityGroupIds",
        "SubnetId",
    ),
    "AWS::SageMaker::Space": ("DomainId", "OwnershipSettings", "SpaceName", "SpaceSharingSettings"),
    "AWS::SageMaker::UserProfile": ("DomainId", "SingleSignOnUserValue", "UserProfileName"),
}
"""The types that hold state, each with the properties of which a change replaces it."""


def test_nothing_that_holds_state_is_replaced_by_accident(assembly):
    """Logical IDs, types and what replaces them are those on record, whatever the team."""
    found = {}
    for one in [one for stage in STAGES for one in assembly.resources(stage=stage)]:
        if one.type in REPLACED_BY:
            fixed = {name: one.properties.get(name) for name in REPLACED_BY[one.type]}
            found.setdefault(one.stack, {})[one.logical_id] = {"type": one.type, **fixed}
    if os.environ.get("RECORD_STATEFUL"):
        RECORD.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    assert found == json.loads(RECORD.read_text()), __doc__


def test_ids_do_not_depend_on_the_team(assembly):
    """The record of one team speaks for all: their data stacks have the same logical IDs."""
    ids = {
        stage: {one.logical_id for one in assembly.resources(stage=stage) if one.stack.endswith("-data")}
        for stage in ("audio-dev", "vision-dev")
    }
    assert ids["audio-dev"] == ids["vision-dev"]
