"""What rules of others say of the templates, and the limits of CloudFormation."""

from __future__ import annotations

import json

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from atelier.spec import instances

RESOURCE_LIMIT = 500
TEMPLATE_LIMIT_BYTES = 1_000_000
COST_CENTRES = {"research": "0815", "vision": "4711"}


def test_no_rule_of_cdk_nag_or_cdk_finds_anything(found):
    """AwsSolutions and CloudFormation's own schemas: nothing but what is acknowledged at its resource."""
    assert found == []


def test_no_rule_of_cdk_nag_finds_anything_in_plain_resources(found_in_plain_resources):
    """cdk-nag judges a resource by its class, so it overlooks the plain ones while they are built."""
    assert found_in_plain_resources == []


def test_cfn_lint_finds_nothing(assembly):
    """Every template of every shipped environment passes cfn-lint, warnings included.

    All but W3005: CDK writes a dependency also where a reference implies it, which does no harm.
    """
    runner = Runner(ConfigMixIn(regions=["eu-west-1"], ignore_checks=["W3005"]))
    shipped = {name: one for name, one in assembly.templates.items() if not name.startswith("audio-")}
    for stack, template in shipped.items():
        found, _ = decode_str(json.dumps(template))
        assert [f"{stack}: {match}" for match in runner.validate_template(found)] == []


def test_every_template_stays_within_cloudformations_limits(assembly):
    """A template has at most 500 resources and 1 MB."""
    for stack, template in assembly.templates.items():
        assert len(template["Resources"]) < RESOURCE_LIMIT, stack
        assert len(json.dumps(template)) < TEMPLATE_LIMIT_BYTES, stack


def test_everything_is_tagged_with_whose_it_is(assembly):
    """The tags of a stack, which CloudFormation gives to all its resources, name team, stage and payer."""
    for stack, properties in assembly.properties.items():
        team, environment, _ = stack.split("-")
        cost_centre = {"cost-centre": COST_CENTRES[team]} if team in COST_CENTRES else {}
        assert properties["tags"] == {
            "team": team,
            "environment": environment,
            "managed-by": "atelier",
            **cost_centre,
        }


def test_a_tool_of_studio_may_be_hidden_if_cloudformation_knows_it():
    """When this fails, CloudFormation has learnt of a tool: take it out of NOT_HIDEABLE."""
    domain = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", "AWS::SageMaker::Domain").schema
    known = set(domain["definitions"]["MlTools"]["enum"])
    assert instances.tools() - instances.NOT_HIDEABLE == known
