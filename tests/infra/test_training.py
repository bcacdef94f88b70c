"""What starts runs, what they may do, and that no event and no failure is lost."""

from __future__ import annotations

import json
import re

import pytest

from lambdas.start_training.settings import JobSettings, StartTrainingSettings
from localaws.stepfunctions.definition import check_definition


def one(assembly, type_, stage="vision-dev-training"):
    """The only resource of its type in a stack."""
    [resource] = [found for found in assembly.resources(type_) if found.stack == stage]
    return resource


def function(assembly, name, stack):
    """A function by the end of its name."""
    [found] = [
        resource
        for resource in assembly.resources("AWS::Lambda::Function")
        if resource.stack == stack and resource.properties["FunctionName"].endswith(name)
    ]
    return found


def test_every_state_machine_is_one_that_step_functions_takes(assembly):
    """Each definition in a template passes the interpreter's own check of the States Language."""
    machines = assembly.resources("AWS::StepFunctions::StateMachine")
    assert len(machines) >= 4
    for machine in machines:
        _, problems = check_definition(assembly.definition(machine))
        assert problems == [], machine.where


def test_every_job_has_a_state_machine_that_logs_and_traces(assembly):
    """Under the name that the command line knows, with the data of each state in its log."""
    machine = one(assembly, "AWS::StepFunctions::StateMachine")
    assert machine.properties["StateMachineName"] == "vision-dev-train-curve"
    logging = machine.properties["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", True)
    assert machine.properties["TracingConfiguration"] == {"Enabled": True}


def test_an_upload_to_the_data_bucket_starts_a_run(assembly):
    """Every new object is an event for the function; one that cannot be delivered is kept."""
    rule = one(assembly, "AWS::Events::Rule")
    assert rule.properties["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["vision-dev-data-111122223333-eu-west-1"]}},
    }
    [target] = rule.properties["Targets"]
    assert "DeadLetterConfig" in target
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    permission = one(assembly, "AWS::Lambda::Permission")
    assert permission.properties["Principal"] == "events.amazonaws.com"
    assert permission.properties["SourceArn"] == "arn:aws:events:eu-west-1:111122223333:rule/vision-dev-*"


def test_a_schedule_starts_a_run_named_after_its_event(assembly):
    """The request that the function gets names job and trigger, and the event's id in place of `<id>`."""
    rules = [
        rule
        for rule in assembly.resources("AWS::Events::Rule", stage="audio-dev")
        if "ScheduleExpression" in rule.properties and rule.stack == "audio-dev-training"
    ]
    [rule] = rules
    assert rule.properties["ScheduleExpression"] == "rate(1 day)"
    transformer = rule.properties["Targets"][0]["InputTransformer"]
    assert transformer["InputPathsMap"] == {"id": "$.id"}
    assert json.loads(transformer["InputTemplate"]) == {"job": "pitch", "trigger": "schedule", "id": "<id>"}


@pytest.mark.parametrize(
    ("stack", "job", "listens"),
    [
        ("vision-dev-training", "curve", ("train",)),
        ("audio-dev-training", "curve", ("train", "validation")),
        ("audio-dev-training", "pitch", ()),
    ],
)
def test_the_function_knows_the_jobs_and_what_they_listen_to(assembly, stack, job, listens):
    """Named channels, every channel where the file names none, none where only a schedule starts the job."""
    environment = function(assembly, "start-training", stack).properties["Environment"]["Variables"]
    settings = StartTrainingSettings.from_environment(environment)
    channels = {"train": f"{job}/train/", "validation": f"{job}/validation/"}
    assert settings.jobs[job] == JobSettings(channels, listens)
    assert settings.machines.endswith(f":stateMachine:{stack.removesuffix('training')}train-")


def test_failures_go_to_one_encrypted_queue_for_two_weeks(assembly):
    """Events that are not delivered and invocations that fail wait there to be looked at and sent again."""
    queue = one(assembly, "AWS::SQS::Queue")
    assert queue.properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert "KmsMasterKeyId" in queue.properties
    policy = json.dumps(one(assembly, "AWS::SQS::QueuePolicy").properties["PolicyDocument"])
    assert "rule/vision-dev-*" in policy
    assert "aws:SecureTransport" in policy
    for stack in ("vision-dev-training", "vision-dev-serving"):
        config = one(assembly, "AWS::Lambda::EventInvokeConfig", stack)
        assert "OnFailure" in config.properties["DestinationConfig"]


def test_everyone_named_hears_of_runs_over_an_encrypted_topic(assembly):
    """Each address of `notify` is subscribed."""
    assert "KmsMasterKeyId" in one(assembly, "AWS::SNS::Topic").properties
    subscription = one(assembly, "AWS::SNS::Subscription")
    assert (subscription.properties["Protocol"], subscription.properties["Endpoint"]) == (
        "email",
        "vision-leads@example.com",
    )


def test_a_state_machine_passes_the_execution_role_to_sagemaker_and_nothing_else(assembly):
    """One exact role, one service."""
    statements = [
        statement
        for statement in assembly.statements(stage="vision-dev")
        if "iam:PassRole" in statement.actions
    ]
    assert statements
    for statement in statements:
        assert not any("*" in resource for resource in statement.resources)
        assert statement.conditions == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_training_jobs_may_be_made_under_the_jobs_own_name_only(assembly):
    """The state machine of one job cannot make or stop the training jobs of another team or environment."""
    made = [
        resource
        for statement in assembly.statements(stage="audio-dev")
        if statement.where.startswith("audio-dev-training:")
        if "sagemaker:CreateTrainingJob" in statement.actions
        for resource in statement.resources
    ]
    assert sorted(made) == [
        f"arn:aws:sagemaker:eu-west-1:111122223333:training-job/audio-dev-{job}-*"
        for job in ("curve", "pitch", "words")
    ]


@pytest.mark.parametrize(
    ("job", "rules", "created"),
    [
        ("curve", {"Training"}, {"TrainingJob", "ModelPackage"}),
        ("all", {"Tuning"}, {"HyperParameterTuningJob", "ModelPackage"}),
        (
            "words",
            {"Processing", "Training", "Transform"},
            {"ProcessingJob", "TrainingJob", "TransformJob", "Model", "ModelPackage"},
        ),
        ("pretrained", set(), {"ModelPackage"}),
    ],
)
def test_a_state_machine_may_do_what_its_steps_ask_for(assembly, job, rules, created):
    """No job may create, or wait for, what it has no step for."""
    statements = [
        statement
        for statement in assembly.statements(stage="audio-dev")
        if statement.where.startswith(f"audio-dev-training: Train{job}Role")
    ]
    actions = {action for statement in statements for action in statement.actions}
    heard = {
        resource.rpartition("StepFunctionsGetEventsForSageMaker")[2].removesuffix("JobsRule")
        for statement in statements
        if "events:PutRule" in statement.actions
        for resource in statement.resources
    }
    assert heard == rules
    prefix = "sagemaker:Create"
    assert {one.removeprefix(prefix) for one in actions if one.startswith(prefix)} == created


def test_jobs_may_read_the_pretrained_models_that_are_named(assembly):
    """They lie in AWS's buckets; IAM must allow them, in the role and in its boundary, and no other."""
    for boundaries, wanted in ((False, "m.tar.gz*"), (True, "*")):
        found = [
            statement.where
            for statement in assembly.statements(stage="audio-dev", boundaries=boundaries)
            if f"arn:aws:s3:::jumpstart-eu-west-1/{wanted}" in statement.resources
        ]
        assert len(found) == 1
    assert not [
        statement
        for statement in assembly.statements(stage="vision-dev")
        if any("jumpstart" in resource for resource in statement.resources)
    ]


def test_a_runs_code_is_the_asset_that_the_state_machine_may_read(assembly):
    """What the definition copies is exactly what the role may read: no other team's code."""
    machine = one(assembly, "AWS::StepFunctions::StateMachine")
    definition = assembly.definition(machine)
    [source] = re.findall(r'"CopySource":"([^"]+)"', definition)
    bucket, key = source.split("/")
    read = [
        resource
        for statement in assembly.statements(stage="vision-dev")
        if statement.where.startswith("vision-dev-training: Train") and "s3:GetObject" in statement.actions
        for resource in statement.resources
    ]
    assert any(resource.endswith(f"{bucket}/{key}") for resource in read)
    assert not any("cdk-" in resource and resource.endswith("*") for resource in read)
