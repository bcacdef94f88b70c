"""What rules of others say of the templates, and the limits of CloudFormation."""

from __future__ import annotations

import json

from cfnlint.api import ManualArgs, lint

RESOURCE_LIMIT = 500
TEMPLATE_LIMIT_BYTES = 1_000_000


def test_no_rule_of_cdk_nag_or_cdk_finds_anything(assembly):
    """AwsSolutions and CloudFormation's own schemas: nothing but what is acknowledged at its resource."""
    assert assembly.findings() == []


def test_cfn_lint_finds_nothing(assembly):
    """Every template of every environment passes cfn-lint, warnings included.

    All but W3005: CDK writes a dependency also where a reference implies it, which does no harm.
    """
    config = ManualArgs(regions=["eu-west-1"], ignore_checks=["W3005"])
    for stack, template in assembly.templates.items():
        found = lint(json.dumps(template), config=config)
        assert [f"{stack}: {match}" for match in found] == []


def test_every_template_stays_within_cloudformations_limits(assembly):
    """A template has at most 500 resources and 1 MB."""
    for stack, template in assembly.templates.items():
        assert len(template["Resources"]) < RESOURCE_LIMIT, stack
        assert len(json.dumps(template)) < TEMPLATE_LIMIT_BYTES, stack
