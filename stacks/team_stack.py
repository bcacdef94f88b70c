"""What every stack of a team's environment has in common."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment


class TeamStack(cdk.Stack):
    """A stack named and tagged after its team and environment.

    `kind` is both the construct id, so that paths read `vision-dev/training`, and the last part of the
    stack's name. In a protected environment every stack is: endpoints and roles go with those that hold no
    data, and `cdk destroy` begins with these.
    """

    def __init__(self, scope: Construct, kind: names.StackKind, spec: TeamEnvironment) -> None:
        # Tags of a stack are given by CloudFormation to each of its resources, those that CDK adds included.
        super().__init__(
            scope,
            kind,
            stack_name=names.stack(spec.team, spec.name, kind),
            description=f"Atelier: {kind} of team {spec.team}, environment {spec.name}",
            tags=tags(spec),
            termination_protection=spec.termination_protection,
            # A third of a template would be spaces, and AWS takes 1 MB of it.
            suppress_template_indentation=True,
        )

    def keep_exporting(self, *values: str) -> None:
        """Export values whether or not a stack imports them at the moment.

        An export may not go before its importers do, and the stacks that import are deployed after this one:
        to take the last endpoint, say, out of a team file could not be deployed otherwise.
        """
        for value in values:
            self.export_value(value)


class EmptyStack(TeamStack):
    """In place of a stack for which the team file asks nothing, or nothing any more.

    A stack that is left out of the app is not deleted: what it made before goes when it is deployed with
    nothing in it. CloudFormation takes no template without a resource; this one does nothing.
    """

    def __init__(self, scope: Construct, kind: names.StackKind, spec: TeamEnvironment) -> None:
        super().__init__(scope, kind, spec)
        cdk.CfnResource(self, "Nothing", type="AWS::CloudFormation::WaitConditionHandle")


def tags(spec: TeamEnvironment) -> dict[str, str]:
    """The tags of everything in an environment: whom it belongs to, who pays, what manages it."""
    cost_centre = {"cost-centre": spec.cost_centre} if spec.cost_centre else {}
    return {"team": spec.team, "environment": spec.name, **cost_centre, "managed-by": "atelier"}
