"""What holds state keeps its logical ID and what names it: a change of either replaces it, with all it holds.

stateful.json is the record. Where a change is meant (a new resource, a migration), write it anew:

    RECORD_STATEFUL=1 .venv/bin/pytest tests/infra/test_stateful.py

and say in the commit what becomes of the data of environments that are deployed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

STAGES = ("audio-dev", "research-dev")
"""A plain one, and one with everything switched on."""
RECORD = Path(__file__).with_name("stateful.json")
STATEFUL = (
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::ECR::Repository",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::SageMaker::NotebookInstance",
    "AWS::SageMaker::Space",
    "AWS::SageMaker::UserProfile",
)
"""The types that hold state."""
MOVED = {"AWS::SageMaker::Domain": ["/properties/VpcId"]}
"""What CloudFormation may change in place, and not with what people keep there."""


def replacing(resource) -> dict[str, object]:
    """What is set of the properties that CloudFormation's own schema says replace the resource."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", resource.type).schema
    pointers = [*schema.get("createOnlyProperties", ()), *MOVED.get(resource.type, ())]
    found = {}
    for pointer in [one for one in pointers if one.rpartition("/")[0] not in pointers]:
        value = resource.properties
        for step in pointer.removeprefix("/properties/").split("/"):
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            found[pointer.removeprefix("/properties/")] = value
    return found


def test_nothing_that_holds_state_is_replaced_by_accident(assembly):
    """Logical IDs, types and what replaces them are those on record, whatever the team."""
    found = {}
    for one in [one for stage in STAGES for one in assembly.resources(stage=stage)]:
        if one.type in STATEFUL:
            found.setdefault(one.stack, {})[one.logical_id] = {"type": one.type, **replacing(one)}
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
