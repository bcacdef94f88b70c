"""The services of the embedded AWS, in the order in which they start."""

from __future__ import annotations

from localaws import moto_patches
from localaws.alarms import Alarms
from localaws.applicationautoscaling import ApplicationAutoScaling
from localaws.budgets import Budgets
from localaws.cloudformation.api import CloudFormation
from localaws.cloudtrail import CloudTrail
from localaws.codebuild import CodeBuild
from localaws.ec2 import Ec2
from localaws.efs import Efs
from localaws.events import Events
from localaws.lambda_ import Lambda
from localaws.logs import Logs
from localaws.route53resolver import Route53Resolver
from localaws.sagemaker.service import SageMaker
from localaws.scheduler import Scheduler
from localaws.service import Service
from localaws.servicecatalog import ServiceCatalog, SharedPortfolio
from localaws.servicequotas import ServiceQuotas
from localaws.stepfunctions import StepFunctions
from localaws.world import World


def build_services(world: World) -> list[Service]:
    """One instance of each service that answers for itself; every other API is moto's."""
    moto_patches.apply(world)
    sagemaker, catalog = SageMaker(world), ServiceCatalog(world)
    return [
        Alarms(world),
        ApplicationAutoScaling(world),
        Budgets(world),
        CloudFormation(world),
        CloudTrail(world),
        CodeBuild(world),
        Ec2(world),
        Efs(world),
        Events(world),
        Lambda(world),
        Logs(world),
        Route53Resolver(world),
        sagemaker,
        sagemaker.runtime(),
        Scheduler(world),
        catalog,
        SharedPortfolio(world, catalog),  # after SageMaker, which refuses what it does not answer itself
        ServiceQuotas(world),
        StepFunctions(world),
    ]
