"""From environments to stages: which stacks there are, and what each is given."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.access import Access, AccessProps
from stacks.cost import Cost, CostProps
from stacks.data import Data, DataProps
from stacks.people import People, PeopleProps
from stacks.registry import Registry, RegistryProps
from stacks.serving import Serving, ServingProps
from stacks.training import Training, TrainingProps


class TeamStage(cdk.Stage):
    """One environment of one team: access <- data <- registry <- training <- serving.

    Each stack refers only to those before it. Access comes first, with roles that are allowed nothing of
    the others yet, because its permissions boundary goes on every role, also on those that CDK adds to
    the data stack; what a role may do with a bucket stands in the stack that holds the bucket.
    """

    def __init__(self, scope: Construct, spec: TeamEnvironment) -> None:
        super().__init__(
            scope,
            names.stage(spec.team, spec.name),
            env=cdk.Environment(account=spec.account, region=spec.region),
        )
        self.access = Access(self, "access", AccessProps(spec=spec))
        self.data = Data(self, "data", DataProps(spec=spec, access=self.access))
        self.registry = Registry(self, "registry", RegistryProps(spec=spec, data=self.data))
        self.training = Training(
            self,
            "training",
            TrainingProps(spec=spec, data=self.data, access=self.access, registry=self.registry),
        )
        self.serving = Serving(
            self,
            "serving",
            ServingProps(
                spec=spec, data=self.data, access=self.access, registry=self.registry, training=self.training
            ),
        )
        self.people = People(self, "people", PeopleProps(spec=spec, access=self.access, data=self.data))
        if Cost.needed(spec):
            self.cost = Cost(
                self,
                "cost",
                CostProps(
                    spec=spec,
                    access=self.access,
                    data=self.data,
                    training=self.training,
                    serving=self.serving,
                    roles_of_people=self.people.role_names,
                ),
            )
            # Their roles are referred to by name.
            self.cost.add_stack_dependency(self.people)
        iam.PermissionsBoundary.of(self).apply(self.access.boundary)


def build(app: cdk.App, environments: Iterable[TeamEnvironment]) -> list[TeamStage]:
    """One stage for each environment, in the given order."""
    return [TeamStage(app, spec) for spec in environments]
