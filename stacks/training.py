"""How an environment trains: what starts runs, what a run does, who hears of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from atelier.spec import hyperparameters, names
from atelier.spec.jobs import Schedule, Upload
from atelier.spec.model import TeamEnvironment
from lambdas.start_training.settings import JobSettings, StartTrainingSettings
from stacks.access import Access
from stacks.arns import Arns
from stacks.constructs.code_archive import TRAINING_PROGRAM, CodeArchive
from stacks.constructs.event_rule import EventRule, EventRuleProps
from stacks.constructs.function import LambdaFunction, LambdaFunctionProps
from stacks.constructs.guardrail_conditions import Place
from stacks.constructs.messaging import DeadLetters, Topic
from stacks.constructs.permission import Permission, allow
from stacks.constructs.training_permissions import permissions_of_run
from stacks.constructs.training_workflow import TrainingWorkflowProps, training_definition
from stacks.constructs.workflow import Workflow, WorkflowProps
from stacks.data import Data
from stacks.registry import Registry
from stacks.team_stack import TeamStack

LISTING_SECONDS = 300  # to list a million objects
PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class TrainingProps:
    """What the training stack is built from."""

    spec: TeamEnvironment
    data: Data
    access: Access
    registry: Registry
    place: Place | None = None
    """Where jobs run, where the environment has a network."""


class Training(TeamStack):
    """A state machine for each job, and the function that starts them: on upload, on schedule, on request."""

    def __init__(self, scope: Construct, id_: names.StackKind, props: TrainingProps) -> None:
        super().__init__(scope, id_, props.spec)
        self._props = props
        self._arns = Arns(props.spec)
        self.topic = Topic(
            self,
            "Topic",
            key=props.data.key,
            subscribers=props.spec.notify,
            services=("budgets", "cloudwatch"),
        )
        self.dead_letters = DeadLetters(
            self, "DeadLetters", key=props.data.key, rules=self._arns.of("events", "rule/{}-*")
        )
        self.explain_failure = self._explain_failure()
        self.keep_exporting(self.topic.arn, self.dead_letters.arn, self.explain_failure.arn)
        self.workflows = {job: self._workflow(job) for job in props.spec.jobs}
        start_training = self._start_training()
        self._start_on_upload(start_training)
        self._start_on_schedule(start_training)
        cdk.CfnOutput(self, "Notifications", value=self.topic.arn, description="Subscribe to hear of runs")

    def _explain_failure(self) -> LambdaFunction:
        props = LambdaFunctionProps(
            spec=self._props.spec,
            verb_noun="explain_failure",
            description="Says why a run or a deployment failed, and what to do",
            key=self._props.data.key,
        )
        function = LambdaFunction(self, "ExplainFailure", props)
        allow(
            function.role,
            Permission(
                sid="ReadLogsOfJobs",
                actions=["logs:DescribeLogStreams", "logs:GetLogEvents"],
                resources=self._arns.job_logs(),
                because="streams are named when they begin; they begin with the environment's name",
            ),
        )
        return function

    def _workflow(self, job: str) -> Workflow:
        spec, data, role = self._props.spec, self._props.data, self._props.access.execution_role
        code = self._code(job)
        definition = training_definition(
            TrainingWorkflowProps(
                spec=spec,
                job_name=job,
                code=code,
                declared=hyperparameters.declared(PROJECT, spec.jobs[job]) or {},
                data_bucket=self._bucket("data"),
                artifacts_bucket=self._bucket("artifacts"),
                key_arn=data.key.key_arn,
                execution_role_arn=role.role_arn,
                explain_arn=self.explain_failure.arn,
                topic_arn=self.topic.arn,
                place=self._props.place,
            )
        )
        name = names.training_machine(spec.team, spec.name, job)
        props = WorkflowProps(name=name, definition=definition, key=data.key)
        workflow = Workflow(self, f"Train-{job}", props)
        allow(
            workflow.role,
            *permissions_of_run(
                spec,
                job,
                code,
                key_arn=data.key.key_arn,
                execution_role_arn=role.role_arn,
                explain_arn=self.explain_failure.arn,
            ),
        )
        self.topic.allow_publishing(workflow.role)
        return workflow

    def _code(self, job: str) -> CodeArchive | None:
        """The archive of the job's script, or of its preparation where it has no script."""
        spec = self._props.spec.jobs[job]
        if spec.folder is None:
            return None
        program = TRAINING_PROGRAM if spec.script or not spec.prepare else spec.prepare.program
        return CodeArchive(self, f"Code-{job}", spec.folder, program=program)

    def _start_training(self) -> LambdaFunction:
        spec, data = self._props.spec, self._props.data
        machines = names.training_machine(spec.team, spec.name, "")
        settings = StartTrainingSettings(
            bucket=self._bucket("data"),
            machines=self._arns.of("states", f"stateMachine:{machines}"),
            jobs={name: self._settings_of(name) for name in spec.jobs},
        )
        props = LambdaFunctionProps(
            spec=spec,
            verb_noun="start_training",
            description="Starts the runs that an upload, a schedule or a person asks for",
            key=data.key,
            environment=settings.to_environment(),
            timeout_seconds=LISTING_SECONDS,
        )
        function = LambdaFunction(self, "StartTraining", props)
        allow(
            function.role,
            Permission(sid="ListData", actions=["s3:ListBucket"], resources=[data.data.literal_arn]),
            Permission(
                sid="StartRuns",
                actions=["states:StartExecution"],
                resources=[self._arns.of("states", f"stateMachine:{machines}*")],
                because="the state machine of every job",
            ),
        )
        function.send_failures_to(self.dead_letters)
        return function

    def _settings_of(self, name: str) -> JobSettings:
        job = self._props.spec.jobs[name]
        uploads = [trigger for trigger in job.triggers if isinstance(trigger, Upload)]
        return JobSettings(
            job.sources,
            tuple(sorted({channel for trigger in uploads for channel in trigger.upload})),
            encodes=job.script is not None,
            markers={
                channel: trigger.marker
                for trigger in uploads
                for channel in trigger.upload
                if trigger.marker is not None
            },
        )

    def _start_on_upload(self, start_training: LambdaFunction) -> None:
        EventRule(
            self,
            "OnUpload",
            EventRuleProps(
                description="Data arrives",
                function=start_training,
                dead_letters=self.dead_letters,
                pattern={
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [self._bucket("data")]}},
                },
            ),
        )

    def _start_on_schedule(self, start_training: LambdaFunction) -> None:
        for name, job in self._props.spec.jobs.items():
            schedules = [trigger.schedule for trigger in job.triggers if isinstance(trigger, Schedule)]
            for number, schedule in enumerate(schedules, 1):
                # The event's id names the run: an event that is delivered twice is the same run.
                request = json.dumps({"job": name, "trigger": "schedule", "id": "<id>"})
                EventRule(
                    self,
                    f"OnSchedule-{name}-{number}",
                    EventRuleProps(
                        description=f"Job {name} is due",
                        function=start_training,
                        dead_letters=self.dead_letters,
                        schedule=schedule,
                        input_template=request,
                    ),
                )

    def _bucket(self, kind: names.BucketKind) -> str:
        # Spelled out, as ARNs are: by reference each would be an import.
        spec = self._props.spec
        return names.bucket(spec.team, spec.name, kind, spec.account, spec.region)
