"""Where an environment registers what it builds: images and models."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from atelier.spec import names
from atelier.spec.hyperparameters import CONTAINERS
from atelier.spec.model import Image, TeamEnvironment
from stacks.constructs.image_build import PROJECT, ImageBuild, ImageBuildProps
from stacks.constructs.removal import Removal
from stacks.constructs.retention import removal_policy
from stacks.data import Data
from stacks.team_stack import TeamStack


@dataclass(frozen=True, kw_only=True)
class RegistryProps:
    """What the registry stack is built from."""

    spec: TeamEnvironment
    data: Data


class Registry(TeamStack):
    """A repository for each of the team's own images, what builds it, a model package group for each job.

    `ref` of a model package group is its ARN. `removal` removes what runs leave behind, for the stacks
    that follow.
    """

    def __init__(self, scope: Construct, id_: names.StackKind, props: RegistryProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._props = props
        spec = props.spec
        self.removal = Removal(self, "Removal", spec=spec, key=props.data.key)
        self.keep_exporting(*self.removal.exported)
        self.repositories = {name: self._repository(name, image) for name, image in spec.images.items()}
        for name in spec.images:
            # An image may be made elsewhere, and then has no folder here.
            if (PROJECT / CONTAINERS / name / "Dockerfile").is_file():
                ImageBuild(self, f"Build-{name}", ImageBuildProps(spec=spec, image=name, key=props.data.key))
        self.model_package_groups = {job: self._model_package_group(job) for job in spec.jobs}
        # Once all stacks are gone in which something could be started, and before the models go.
        self.removal.of_work(self, "Work", after=list(self.model_package_groups.values()))

    def _repository(self, name: str, image: Image) -> ecr.Repository:
        spec = self._props.spec
        keep = ecr.LifecycleRule(description=f"Keep the newest {image.keep}", max_image_count=image.keep)
        return ecr.Repository(
            self,
            f"Image-{name}",
            repository_name=names.repository(spec.team, spec.name, name),
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=self._props.data.key,
            lifecycle_rules=[keep],
            removal_policy=removal_policy(spec),
            empty_on_delete=not spec.retain,
        )

    def _model_package_group(self, job: str) -> cdk.CfnResource:
        # Not `aws_sagemaker.CfnModelPackageGroup`: a module of four megabytes for two properties.
        spec = self._props.spec
        name = names.model_package_group(spec.team, spec.name, job)
        group = cdk.CfnResource(
            self,
            f"Models-{job}",
            type="AWS::SageMaker::ModelPackageGroup",
            properties={
                "ModelPackageGroupName": name,
                "ModelPackageGroupDescription": f"Trained by job {job} of team {spec.team} in {spec.name}",
            },
        )
        removal = self.removal.of_packages(self, f"Removal-{job}", group=name, after=group)
        if spec.retain:
            # The removal stays with the group, undone: leaving it out would be to carry it out, and an
            # environment that is to be retained from now on would lose its models at once.
            for resource in (group, removal):
                resource.apply_removal_policy(removal_policy(spec))
        return group
