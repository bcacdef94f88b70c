"""From environments to stages: which stacks there are, and what each is given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from stacks.access import Access, AccessProps
from stacks.constructs.network_watch import NetworkWatch, NetworkWatchProps
from stacks.cost import Cost, CostProps
from stacks.data import Data, DataProps
from stacks.network import Network, NetworkProps
from stacks.notebooks import Notebooks, NotebooksProps
from stacks.people import People, PeopleProps
from stacks.registry import Registry, RegistryProps
from stacks.serving import Serving, ServingProps
from stacks.studio import Studio, StudioProps
from stacks.team_stack import EmptyStack, TeamStack
from stacks.training import Training, TrainingProps


class TeamStage(cdk.Stage):
    """One environment of one team: network <- access <- data <- registry <- training <- serving.

    Each stack refers only to those before it. The network comes first, since guardrails name it. Access
    follows, with roles that are allowed nothing of the others yet, because its permissions boundary goes on
    every role, also on those that CDK adds to the data stack; what a role may do with a bucket stands in the
    stack that holds the bucket. People work in stacks of their own, after what they work with.
    """

    def __init__(self, scope: Construct, spec: TeamEnvironment) -> None:
        super().__init__(
            scope,
            names.stage(spec.team, spec.name),
            env=cdk.Environment(account=spec.account, region=spec.region),
        )
        self.network = Network(self, "network", NetworkProps(spec=spec))
        place = self.network.place
        self.access = Access(self, "access", AccessProps(spec=spec, place=place))
        self.data = Data(self, "data", DataProps(spec=spec, access=self.access))
        watch = NetworkWatchProps(spec=spec, network=self.network, key=self.data.key)
        NetworkWatch(self.data, "Network", watch)
        self.registry = Registry(self, "registry", RegistryProps(spec=spec, data=self.data))
        self.training = Training(
            self,
            "training",
            TrainingProps(spec=spec, data=self.data, access=self.access, registry=self.registry, place=place),
        )
        self.serving = Serving(
            self,
            "serving",
            ServingProps(
                spec=spec,
                data=self.data,
                access=self.access,
                registry=self.registry,
                training=self.training,
                place=place,
            ),
        )
        roles_of_workplaces = self._workplaces(spec)
        self.people = People(self, "people", PeopleProps(spec=spec, access=self.access, data=self.data))
        self._cost(spec, [*self.people.role_names, *roles_of_workplaces])
        iam.PermissionsBoundary.of(self).apply(self.access.boundary)
        self._stop_work_last()
        self._give_up_network_last()

    def _workplaces(self, spec: TeamEnvironment) -> list[iam.Role]:
        """Studio and notebook instances, which need a network; gives the roles with which people work there.

        Both stacks are there in any case: what is left out of the app, no command removes.
        """
        place, vpc = self.network.lasting_place, self.network.vpc_id
        roles: list[iam.Role] = []
        shared: dict[str, Any] = {"spec": spec, "access": self.access, "data": self.data, "place": place}
        if spec.studio is not None and vpc is not None:
            studio = Studio(self, "studio", StudioProps(**shared, vpc_id=vpc, registry=self.registry))
            roles += studio.roles.all
        else:
            EmptyStack(self, "studio", spec)
        if spec.notebooks and place is not None:
            roles += Notebooks(self, "notebooks", NotebooksProps(**shared)).roles.all
        else:
            EmptyStack(self, "notebooks", spec)
        return roles

    def _cost(self, spec: TeamEnvironment, roles_of_people: list[iam.Role | str]) -> None:
        """The budget and the watch over what nobody uses, last, since it names all that spend."""
        if not Cost.needed(spec):
            EmptyStack(self, "cost", spec)
            return
        props = CostProps(
            spec=spec,
            access=self.access,
            data=self.data,
            registry=self.registry,
            training=self.training,
            serving=self.serving,
            roles_of_people=roles_of_people,
        )
        # Roles of people have fixed names, to which nothing refers.
        Cost(self, "cost", props).add_stack_dependency(self.people)

    def _stop_work_last(self) -> None:
        """Nobody and nothing can start work any more when the registry's removal stops what is left of it."""
        before: set[Construct] = {self.network, self.access, self.data, self.registry}
        for stack in self.node.children:
            if isinstance(stack, TeamStack) and stack not in before:
                stack.add_stack_dependency(self.registry)

    def _give_up_network_last(self) -> None:
        """Where the network stack makes nothing, what an earlier one made goes with its deployment.

        That it can only once no other stack refers to it any more.
        """
        if self.network.is_empty:
            for stack in self.node.children:
                if isinstance(stack, TeamStack) and stack is not self.network:
                    self.network.add_stack_dependency(stack)


def build(app: cdk.App, environments: Iterable[TeamEnvironment]) -> list[TeamStage]:
    """One stage for each environment, in the given order."""
    return [TeamStage(app, spec) for spec in environments]
