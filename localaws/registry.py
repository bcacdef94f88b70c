"""The services of the embedded AWS, in the order in which they start."""

from __future__ import annotations

from localaws.cloudformation.api import CloudFormation
from localaws.cloudtrail import CloudTrail
from localaws import moto_patches
from localaws.events import Events
from localaws.lambda_ import Lambda
from localaws.sagemaker.service import SageMaker
from localaws.service import Service
from localaws.stepfunctions import StepFunctions
from localaws.world import World


def build_services(world: World) -> list[Service]:
    """One instance of each service that answers for itself; every other API is moto's."""
    sagemaker = SageMaker(world)
    return [
        CloudFormation(world),
        CloudTrail(world),
        Lambda(world),
        sagemaker,
        sagemaker.runtime(),
        StepFunctions(world),
    ]
