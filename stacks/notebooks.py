"""The notebook instances of an environment: private, encrypted, and stopped when nobody uses them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from atelier.spec import names
from atelier.spec.model import TeamEnvironment
from atelier.spec.studio import Notebook
from stacks.access import Access
from stacks.arns import Arns
from stacks.constructs.guardrail_conditions import Place
from stacks.constructs.lifecycle_config import notebook_config
from stacks.constructs.permission import Permission, ServiceRole, allow
from stacks.constructs.role import service_role
from stacks.constructs.studio_permissions import notebook_itself, workplace
from stacks.constructs.studio_roles import StudioRoles, StudioRolesProps
from stacks.data import Data
from stacks.personas import Subject, permissions_of
from stacks.team_stack import TeamStack

PLATFORM = "notebook-al2023-v1"
STOP = "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance"
STOP_RETRIES = (
    2  # an instance that is stopped already refuses; asking on for a day, as is the default, is no use
)


@dataclass(frozen=True, kw_only=True)
class NotebooksProps:
    """What the notebooks stack is built from."""

    spec: TeamEnvironment
    access: Access
    place: Place
    data: Data


class Notebooks(TeamStack):
    """A notebook instance for each that the team file declares, by its name there."""

    def __init__(self, scope: Construct, id_: names.StackKind, props: NotebooksProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._props, self._spec = props, props.spec
        self.roles = self._execution_roles()
        notebooks = props.spec.notebooks
        self.instances = {name: self._instance(name, notebook) for name, notebook in notebooks.items()}
        if any(notebook.stop_at for notebook in notebooks.values()):
            self._stop_on_schedule(self._scheduler_role())

    def _execution_roles(self) -> StudioRoles:
        spec, props = self._spec, self._props
        owners = {notebook.owner for notebook in spec.notebooks.values()}
        users = spec.studio.users if spec.studio else {}
        subject = Subject(
            spec=spec,
            key_arn=props.data.key.key_arn,
            execution_role_arn=props.access.execution_role.role_arn,
        )
        own = [*workplace(spec, props.place, props.data.key.key_arn), *notebook_itself(spec)]
        return StudioRoles(
            self,
            "Roles",
            StudioRolesProps(
                whose=f"notebook instances of team {spec.team} in {spec.name}",
                permissions_of=lambda persona: [*permissions_of(persona, subject, inside=True), *own],
                personas={name: user.persona for name, user in users.items() if name in owners},
                per_user=spec.studio is not None and spec.studio.roles == "user",
            ),
        )

    def _instance(self, name: str, notebook: Notebook) -> cdk.CfnResource:
        spec, place = self._spec, self._props.place
        role = self.roles.of(notebook.owner)
        instance = cdk.CfnResource(
            self,
            f"Notebook-{name}",
            type="AWS::SageMaker::NotebookInstance",
            properties={
                "NotebookInstanceName": names.notebook(spec.team, spec.name, name),
                "InstanceType": notebook.instance,
                "VolumeSizeInGB": notebook.volume_gb,
                "PlatformIdentifier": PLATFORM,
                "RoleArn": role.role_arn,
                "KmsKeyId": self._props.data.key.key_arn,
                "SubnetId": place.subnets[0],
                "SecurityGroupIds": list(place.security_groups),
                "DirectInternetAccess": "Disabled",
                "RootAccess": "Disabled",
                "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
                "LifecycleConfigName": names.notebook(spec.team, spec.name, name),
                **({"DefaultCodeRepository": notebook.repository} if notebook.repository else {}),
                **({"Tags": [{"Key": "owner", "Value": notebook.owner}]} if notebook.owner else {}),
            },
        )
        config = notebook_config(self, spec, name, notebook)
        instance.node.add_dependency(config, *self.roles.policies)
        return instance

    def _scheduler_role(self) -> ServiceRole:
        role = service_role(
            self,
            "Scheduler",
            service="scheduler.amazonaws.com",
            kind="functions",
            description=f"Stops the notebook instances of team {self._spec.team} in {self._spec.name}",
        )
        allow(
            role,
            Permission(
                sid="StopNotebooks",
                actions=["sagemaker:StopNotebookInstance"],
                resources=[Arns(self._spec).of("sagemaker", "notebook-instance/{}-*")],
                because="every notebook instance of the environment",
            ),
        )
        return role

    def _stop_on_schedule(self, role: iam.Role) -> None:
        for name, notebook in self._spec.notebooks.items():
            if notebook.stop_at is None:
                continue
            request = {"NotebookInstanceName": names.notebook(self._spec.team, self._spec.name, name)}
            schedule = cdk.CfnResource(
                self,
                f"Stop-{name}",
                type="AWS::Scheduler::Schedule",
                properties={
                    "Description": f"Stops the notebook instance {name}",
                    "ScheduleExpression": notebook.stop_at,
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "Target": {
                        "Arn": STOP,
                        "RoleArn": role.role_arn,
                        "Input": json.dumps(request),
                        "RetryPolicy": {"MaximumRetryAttempts": STOP_RETRIES},
                    },
                },
            )
            schedule.node.add_dependency(self.instances[name])
