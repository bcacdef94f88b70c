"""What tasks call: functions, optimised integrations, jobs, SDK operations, callbacks."""

from __future__ import annotations

import json

import pytest

from localaws.stepfunctions.tasks.sdk import sdk_operation

STATES = "arn:aws:states:::"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:"


def machine(resource, arguments=None, **fields):
    """A machine of one task in JSONata."""
    task = {"Type": "Task", "Resource": resource, "End": True, **fields}
    if arguments is not None:
        task["Arguments"] = arguments
    return {"QueryLanguage": "JSONata", "StartAt": "Task", "States": {"Task": task}}


def training(name):
    """The least that CreateTrainingJob takes."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::111122223333:role/training",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


SYNC = STATES + "sagemaker:createTrainingJob.sync"


def test_a_function_gets_the_arguments_and_gives_its_result(aws):
    """By its ARN the result is the payload; the history tells of a function."""
    execution = aws.start(machine(FUNCTION + "echo", {"x": "{% $states.input.a %}"}), {"a": [1, None]})
    assert json.loads(aws.ended(execution)["output"]) == {"x": [1, None]}
    assert aws.types(execution)[2:5] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]


def test_lambda_invoke_gives_payload_and_status(aws):
    """The payload is JSON beside the SDK's metadata."""
    found = aws.output(machine(STATES + "lambda:invoke", {"FunctionName": "echo", "Payload": {"a": 1}}))
    assert (found["Payload"], found["StatusCode"], found["ExecutedVersion"]) == ({"a": 1}, 200, "$LATEST")
    assert found["SdkHttpMetadata"]["HttpStatusCode"] == 200


def test_a_function_that_takes_too_long_times_out(aws):
    """TimeoutSeconds bounds any task; States.Timeout has no cause."""
    execution = aws.start(machine(FUNCTION + "slow", TimeoutSeconds=1))
    found = aws.ended(execution)
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
    assert "LambdaFunctionTimedOut" in aws.types(execution)


def test_sync_waits_for_the_job_and_gives_its_description(aws):
    """The result is what DescribeTrainingJob answers, times as milliseconds since 1970."""
    execution = aws.start(machine(SYNC, training("completed-1")))
    found = json.loads(aws.ended(execution)["output"])
    assert found["TrainingJobStatus"] == "Completed"
    assert found["CreationTime"] == 1769860800000
    assert found["FinalMetricDataList"] == [{"MetricName": "rmse", "Value": 1.5}]
    assert "SdkHttpMetadata" not in found
    assert aws.types(execution)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert aws.sagemaker.looks["completed-1"] == 2


def test_sync_fails_with_the_description_of_the_failed_job(aws):
    """The error is States.TaskFailed, the cause the description as JSON."""
    found = aws.run(machine(SYNC, training("failed-1")))
    assert found["error"] == "States.TaskFailed"
    assert json.loads(found["cause"])["FailureReason"] == "column 3"


def test_a_job_that_was_stopped_is_no_error(aws):
    """Its result says so."""
    assert aws.output(machine(SYNC, training("stopped-1")))["TrainingJobStatus"] == "Stopped"


def test_stopping_the_execution_stops_the_job(aws):
    """And so does the task's own time-out."""
    execution = aws.start(machine(SYNC, training("forever-1")))
    aws.until(execution, "TaskSubmitted")
    aws.states.stop_execution(executionArn=execution)
    assert aws.types(execution)[-2:] == ["TaskStateAborted", "ExecutionAborted"]
    timed = machine(SYNC, training("forever-2"), TimeoutSeconds=1)
    assert aws.run(timed, name="timed")["error"] == "States.Timeout"
    assert aws.sagemaker.stopped == ["forever-1", "forever-2"]


def test_errors_of_the_call_have_the_integrations_names(aws):
    """A modelled error by its own name, any other by the service's; SDK integrations name them their way."""
    aws.output(machine(STATES + "sagemaker:createTrainingJob", training("completed-1")))
    for resource, name, expected in [
        ("sagemaker:createTrainingJob", "completed-1", "SageMaker.ResourceInUseException"),
        ("sagemaker:createTrainingJob.sync", "invalid-1", "SageMaker.AmazonSageMakerException"),
        ("aws-sdk:sagemaker:createTrainingJob", "completed-1", "SageMaker.ResourceInUseException"),
        ("aws-sdk:sagemaker:createTrainingJob", "invalid-1", "SageMaker.SageMakerException"),
    ]:
        found = aws.run(
            machine(STATES + resource, training(name)), name=f"{resource.replace(':', '-')}-{name}"
        )
        assert found["error"] == expected
        assert "Service: SageMaker, Status Code: 400" in found["cause"]


def test_arguments_of_the_wrong_type_fail_the_state(aws):
    """States.Runtime names the parameter."""
    arguments = {**training("completed-1"), "HyperParameters": {"epochs": "{% 5 %}"}}
    found = aws.run(machine(SYNC, arguments))
    assert found["error"] == "States.Runtime"
    assert "HyperParameters.epochs" in found["cause"]


def test_an_sdk_operation_speaks_pascal_case(aws):
    """Requests and results, whatever the case of the service's own names; times are ISO 8601."""
    inner = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    arn = aws.create(inner, "inner")
    found = aws.output(machine(STATES + "aws-sdk:sfn:describeStateMachine", {"StateMachineArn": arn}))
    assert found["Name"] == "inner"
    assert json.loads(found["Definition"]) == inner
    assert found["CreationDate"].endswith("Z")


def test_an_sdk_error_without_the_suffix_gets_it(aws):
    """As the SDK for Java names its exceptions."""
    arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:absent"
    found = aws.run(machine(STATES + "aws-sdk:sfn:describeStateMachine", {"StateMachineArn": arn}))
    assert found["error"] == "Sfn.StateMachineDoesNotExistException"


@pytest.mark.parametrize(
    ("service", "action", "prefix"),
    [
        ("dynamodb", "getItem", "DynamoDb"),
        ("s3", "copyObject", "S3"),
        ("ssm", "getParameter", "Ssm"),
        ("eventbridge", "putEvents", "EventBridge"),
        ("cloudwatchlogs", "putLogEvents", "CloudWatchLogs"),
        ("sagemakerruntime", "invokeEndpoint", "SageMakerRuntime"),
        ("applicationautoscaling", "putScalingPolicy", "ApplicationAutoScaling"),
        ("iam", "getRole", "Iam"),
    ],
)
def test_services_are_found_by_their_id(service, action, prefix):
    """And their errors carry the prefix that AWS documents."""
    assert sdk_operation(service, action).prefix == prefix


@pytest.mark.parametrize(
    ("pattern", "read"),
    [(".sync", json.loads), (".sync:2", lambda output: output)],
)
def test_a_nested_execution_is_waited_for(aws, pattern, read):
    """`.sync` gives its output as text, `.sync:2` as JSON; its input may be any JSON."""
    inner = aws.create({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, "inner")
    found = aws.output(
        machine(f"{STATES}states:startExecution{pattern}", {"StateMachineArn": inner, "Input": {"a": 1}})
    )
    assert found["Status"] == "SUCCEEDED"
    assert read(found["Output"]) == {"a": 1}


WAITING = machine(
    STATES + "lambda:invoke.waitForTaskToken",
    {"FunctionName": "echo", "Payload": {"token": "{% $states.context.Task.Token %}"}},
)


def token_of(aws, execution):
    """The token that the waiting task has handed out."""
    aws.until(execution, "TaskSubmitted")
    return aws.functions.calls[-1]["token"]


def test_a_task_waits_until_it_is_called_back(aws):
    """SendTaskSuccess gives it its result; then the token is used up."""
    execution = aws.start(WAITING)
    token = token_of(aws, execution)
    aws.states.send_task_heartbeat(taskToken=token)
    aws.states.send_task_success(taskToken=token, output='{"approved": true}')
    assert json.loads(aws.ended(execution)["output"]) == {"approved": True}
    with pytest.raises(aws.states.exceptions.TaskDoesNotExist):
        aws.states.send_task_success(taskToken=token, output="1")


def test_a_callback_may_be_a_failure(aws):
    """SendTaskFailure makes the task fail with error and cause."""
    execution = aws.start(WAITING)
    aws.states.send_task_failure(taskToken=token_of(aws, execution), error="Rejected", cause="no")
    found = aws.ended(execution)
    assert (found["error"], found["cause"]) == ("Rejected", "no")


def test_silence_is_a_heartbeat_time_out(aws):
    """HeartbeatSeconds without SendTaskHeartbeat."""
    definition = machine(
        STATES + "lambda:invoke.waitForTaskToken", {"FunctionName": "echo"}, HeartbeatSeconds=1
    )
    execution = aws.start(definition)
    assert aws.ended(execution)["error"] == "States.HeartbeatTimeout"
    assert "TaskTimedOut" in aws.types(execution)
