"""What becomes of a resource that holds data when its stack goes."""

from __future__ import annotations

import aws_cdk as cdk

from atelier.spec.model import TeamEnvironment


def removal_policy(spec: TeamEnvironment) -> cdk.RemovalPolicy:
    """It stays where the team file says `retain`, unless it goes with a deployment that failed to make it.

    What a failed deployment left would be in the way of the next one, which wants the same names.
    """
    kept = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    return kept if spec.retain else cdk.RemovalPolicy.DESTROY
