"""SageMaker's project templates, offered to the people in Studio."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from atelier.spec.model import TeamEnvironment
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps
from stacks.constructs.permission import allow, allow_in_managed_policies
from stacks.template_permissions import offer, use


class ProjectTemplates(Construct):
    """Associates the roles with AWS's portfolio of templates, and lets them make projects of these."""

    def __init__(
        self, scope: Construct, id_: str, *, spec: TeamEnvironment, key: kms.IKey, roles: Sequence[iam.Role]
    ) -> None:
        super().__init__(scope, id_)
        function = LambdaFunction(
            self,
            "OfferTemplates",
            LambdaFunctionProps(
                spec=spec,
                verb_noun="offer_templates",
                description="Offers SageMaker's project templates to the people in Studio",
                key=key,
            ),
        )
        allow(function.role, *offer(spec))
        allow_in_managed_policies(self, "UseTemplates", roles, use(spec))
        cdk.CfnResource(
            self,
            "Offer",
            type="Custom::AtelierProjectTemplates",
            properties={"ServiceToken": function.arn, "Roles": [role.role_arn for role in roles]},
        )
