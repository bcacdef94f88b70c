"""Custom resources that remove, with their stack, what CloudFormation does not know of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IDependable

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps
from stacks.constructs.permission import allow, allow_in_managed_policies
from stacks.constructs.removal_permissions import of_domain, of_work

TIMEOUT_SECONDS = 900  # the longest that a function may run; then it calls itself
PATIENCE_SECONDS = 3600
"""How long CloudFormation waits for the answer, and the function for things to go; CloudFormation's most."""


class Removal(Construct):
    """The function behind these resources: one for all stacks of an environment."""

    def __init__(self, scope: Construct, id_: str, *, spec: TeamEnvironment, key: kms.IKey) -> None:
        super().__init__(scope, id_)
        self._spec = spec
        self._function = LambdaFunction(
            self,
            "RemoveResources",
            LambdaFunctionProps(
                spec=spec,
                verb_noun="remove_resources",
                description="Removes what CloudFormation does not know with the stack that stands for it",
                key=key,
                timeout_seconds=TIMEOUT_SECONDS,
                kind="removal",
            ),
        )
        allow(self._function.role, *of_work(spec))

    @property
    def exported(self) -> tuple[str, str]:
        """What stacks import in which something is to be removed: the function's ARN, its role's name."""
        return self._function.arn, self._function.role.role_name

    def of_endpoint(
        self, scope: Construct, id_: str, *, name: str, variant: str, record: str, machine_arn: str
    ) -> cdk.CfnResource:
        """A resource with which go the endpoint `name`, its models, configs, scaling, log and record."""
        properties = {"Name": name, "Variant": variant, "Record": record, "Machine": machine_arn}
        return self._resource(scope, id_, "Endpoint", properties)

    def of_packages(self, scope: Construct, id_: str, *, group: str, after: IDependable) -> cdk.CfnResource:
        """A resource with which go the versions of a model package group, so that the group `after` can."""
        return self._resource(scope, id_, "ModelPackages", {"Name": group}, after)

    def of_limit(self, scope: Construct, id_: str, *, budget: str, after: IDependable) -> cdk.CfnResource:
        """A resource with which goes what the actions of a budget, `after`, deny."""
        return self._resource(scope, id_, "Limit", {"Name": budget}, after)

    def of_work(self, scope: Construct, id_: str, *, after: Sequence[IDependable]) -> cdk.CfnResource:
        """A resource with which go all jobs, endpoints, models and notebook instances of the environment.

        Those too that people made by hand: by the environment's name, with which theirs begin.
        """
        prefix = f"{names.stage(self._spec.team, self._spec.name)}-"
        return self._resource(scope, id_, "Work", {"Name": prefix}, *after)

    def let_remove_domain(
        self, scope: Construct, id_: str, *, domain_id: str, vpc_id: str
    ) -> list[iam.ManagedPolicy]:
        """Allow the function to remove a Studio domain; `of_domain` and `of_workplaces` come after that."""
        permissions = of_domain(self._spec, domain_id, vpc_id)
        return allow_in_managed_policies(scope, id_, [self._function.role], permissions)

    def of_domain(
        self, scope: Construct, id_: str, *, domain_id: str, after: Sequence[IDependable]
    ) -> cdk.CfnResource:
        """A resource with which goes a domain, and all that SageMaker made around it.

        Its home file system too, unless the environment is to be retained.
        """
        homes = "Retain" if self._spec.retain else "Delete"
        return self._resource(scope, id_, "Domain", {"Name": domain_id, "Homes": homes}, *after)

    def of_workplaces(
        self,
        scope: Construct,
        id_: str,
        *,
        domain_id: str,
        users: Sequence[str],
        spaces: Sequence[str],
        after: Sequence[IDependable],
    ) -> cdk.CfnResource:
        """A resource with which go all apps, spaces and user profiles of a domain, whoever made them.

        With a name that is taken out of `users` or `spaces` goes what holds that profile or space. The update
        of this resource is therefore to be the last of its stack's.
        """
        properties = {"Name": domain_id, "Users": list(users), "Spaces": list(spaces)}
        return self._resource(scope, id_, "Workplaces", properties, *after)

    def _resource(
        self, scope: Construct, id_: str, kind: str, properties: Mapping[str, Any], *after: IDependable
    ) -> cdk.CfnResource:
        resource = cdk.CfnResource(
            scope,
            id_,
            type="Custom::AtelierRemoval",
            properties={
                "ServiceToken": self._function.arn,
                "ServiceTimeout": PATIENCE_SECONDS,
                "Kind": kind,
                **properties,
            },
        )
        # What depends on something goes before it.
        resource.node.add_dependency(*after)
        return resource
