"""The definition of a job's state machine: keep the code, train, judge, register, tell.

Its input is `{"run", "job", "trigger", "hyperparameters", "fingerprint"}` as `start_training` writes it; all
but the hyperparameters may be missing, so that a run can be started from the console with `{}`. Its output is
`{"run", "job", "trainingJob", "metrics", "modelPackage", "status"}`; its error and cause are explained.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from atelier.spec import names
from atelier.spec.images import inference_image, training_image
from atelier.spec.jobs import Gate, Job
from atelier.spec.model import TeamEnvironment
from atelier.spec.sources import Framework
from stacks.constructs.asl import (
    API,
    States,
    assign,
    catch,
    choice,
    failure_states,
    jsonata,
    literal,
    notify,
    task,
)
from stacks.constructs.code_archive import TRAINING_PROGRAM, CodeArchive
from stacks.constructs.guardrail_conditions import Place
from stacks.disks import has_local_disks
from stacks.team_stack import tags

CONTENT_TYPES = ["application/json", "text/csv"]
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
UNIQUE_LENGTH = 8  # hexadecimal digits that tell the training jobs of two runs apart

# Errors of CreateTrainingJob that pass: throttling, and a role's new permission that is not yet everywhere.
RETRY_TRAINING = [
    {
        "ErrorEquals": ["SageMaker.AmazonSageMakerException", "ThrottlingException"],
        "IntervalSeconds": 2,
        "MaxAttempts": 3,
        "BackoffRate": 2,
    }
]
# A job that found no machine says so in its failure reason; one that a quota forbids is never created.
NO_CAPACITY = (
    r"$contains($failure.error, 'ResourceLimitExceeded')"
    r" or $contains($failure.cause, /account-level service limit/)"
    r' or $contains($failure.cause, /"FailureReason": ?"[^"]*(CapacityError|InsufficientCapacity'
    r"|InsufficientInstanceCapacity|ResourceLimitExceeded)/)"
)
TRAINING_JOB = "$stem & '-' & $string($attempt)"
# The keys of a package's metadata take fewer characters than the names of metrics, and at most 128.
METADATA_OF_METRICS = (
    r"$each($metrics, function($v, $k) {"
    r" {'metric:' & $substring($replace($k, /[^\w.:\/=+@ -]/, ''), 0, 121): $string($v)} })"
)


@dataclass(frozen=True, kw_only=True)
class TrainingWorkflowProps:
    """What a job's definition is made of; buckets, ARNs and the like may be tokens."""

    spec: TeamEnvironment
    job_name: str
    code: CodeArchive
    data_bucket: str
    artifacts_bucket: str
    key_arn: str
    execution_role_arn: str
    explain_arn: str
    topic_arn: str
    place: Place | None = None
    """Where the job runs, where the environment has a network."""

    @property
    def job(self) -> Job:
        """The job as the team file has it."""
        return self.spec.jobs[self.job_name]

    @property
    def code_key(self) -> str:
        """Where the artifacts bucket keeps the code, as long as any model that was trained with it."""
        return f"code/{self.job_name}/{self.code.digest}.tar.gz"

    @property
    def code_url(self) -> str:
        """The same as an S3 URL."""
        return f"s3://{self.artifacts_bucket}/{self.code_key}"


def training_definition(props: TrainingWorkflowProps) -> dict[str, Any]:
    """The definition of the job's state machine."""
    return {
        "Comment": f"Trains job {props.job_name} of team {props.spec.team} in {props.spec.name}",
        "QueryLanguage": "JSONata",
        "StartAt": "Prepare",
        "States": {
            "Prepare": _prepare(props),
            "Keep the code": _keep_the_code(props),
            **_train_states(props),
            **(_gate_states(props.job.gate) if props.job.gate else {}),
            **_register_states(props),
            **failure_states(
                props.explain_arn,
                props.topic_arn,
                what=f"job {props.job_name}",
                log_group=LOG_GROUP,
                log_stream=f"{TRAINING_JOB} & '/'",
            ),
        },
    }


def _prepare(props: TrainingWorkflowProps) -> dict[str, Any]:
    """Variables: what was asked for, with defaults, and what to try in which order."""
    fixed = {
        "sagemaker_program": json.dumps(TRAINING_PROGRAM),
        # SageMaker's own JSON would escape a token: the URL is quoted by hand.
        "sagemaker_submit_directory": f'"{props.code_url}"',
    }
    own = {name: json.dumps(value) for name, value in props.job.hyperparameters.items()}
    return assign(
        {
            "trigger": jsonata("$exists($states.input.trigger) ? $states.input.trigger : 'console'"),
            "fingerprint": jsonata(
                "$exists($states.input.fingerprint) ? $states.input.fingerprint : 'unknown'"
            ),
            "ownHyperparameters": own,
            "fixedHyperparameters": fixed,
            "overrides": jsonata(
                "$merge([{}, $each($states.input.hyperparameters, function($v, $k) { {$k: $string($v)} })])"
            ),
            # A run's name is free again after 90 days, a training job's never: hence the time of the start.
            "stem": jsonata(
                f"{literal(_job_prefix(props))} & $substring($hash("
                "$states.context.Execution.Id & $states.context.Execution.StartTime, 'SHA-256'), "
                f"0, {UNIQUE_LENGTH})"
            ),
            "attempts": [_attempt(props, instance) for instance in props.job.instances],
            "attempt": 1,
        },
        then="Keep the code",
    )


def _job_prefix(props: TrainingWorkflowProps) -> str:
    return f"{names.stage(props.spec.team, props.spec.name)}-{props.job_name}-"


def _attempt(props: TrainingWorkflowProps, instance_type: str) -> dict[str, Any]:
    """The arguments that differ between the instance types of a job."""
    job = props.job
    resources = {
        "InstanceType": instance_type,
        "InstanceCount": job.instance_count,
        "VolumeSizeInGB": job.volume_gb,
    }
    if not has_local_disks(instance_type):
        resources["VolumeKmsKeyId"] = props.key_arn
    return {
        "image": training_image(_framework(job), props.spec.region, instance_type),
        "resources": resources,
    }


def _framework(job: Job) -> Framework:
    if job.framework is None:
        raise ValueError("a job needs a framework: own images come with a later release")
    return job.framework


def _keep_the_code(props: TrainingWorkflowProps) -> dict[str, Any]:
    """Copy the archive to where it outlives the CDK's assets, for endpoints that load it long after."""
    return task(
        f"{API}:s3:copyObject",
        {
            "Bucket": props.artifacts_bucket,
            "Key": props.code_key,
            "CopySource": f"{props.code.s3_bucket_name}/{props.code.s3_object_key}",
        },
        then="Train",
        on_error=catch("Explain"),
    )


def _train_states(props: TrainingWorkflowProps) -> States:
    """Train, on the next instance type when one is not to be had; under a new name, for names are used up."""
    job = props.job
    next_state = "Is the metric there?" if job.gate else "Register the model"
    train = task(
        "arn:aws:states:::sagemaker:createTrainingJob.sync",
        _training_job(props),
        then="Has it completed?",
        on_error=catch("Is another instance type left?"),
        retry=RETRY_TRAINING,
        assign={
            "trained": {
                "status": jsonata("$states.result.TrainingJobStatus"),
                "secondary": jsonata("'' & $states.result.SecondaryStatus"),
                "arn": jsonata("$states.result.TrainingJobArn"),
                "model": jsonata("'' & $states.result.ModelArtifacts.S3ModelArtifacts"),
            },
            "metrics": jsonata("$merge([{}, $states.result.FinalMetricDataList.{MetricName: Value}])"),
        },
    )
    stopped = {
        "error": "Atelier.TrainingStopped",
        "cause": jsonata("'the training job was stopped: ' & $trained.secondary"),
    }
    return {
        "Train": train,
        "Is another instance type left?": choice(
            (f"$attempt < $count($attempts) and ({NO_CAPACITY})", "Try the next instance type"),
            otherwise="Explain",
        ),
        "Try the next instance type": assign({"attempt": jsonata("$attempt + 1")}, then="Train"),
        # One that ran into its time limit ends as "Stopped", which is no error to Step Functions.
        "Has it completed?": choice(
            ("$trained.status = 'Completed'", next_state), otherwise="It was stopped"
        ),
        "It was stopped": assign({"failure": stopped}, then="Explain"),
    }


def _training_job(props: TrainingWorkflowProps) -> dict[str, Any]:
    """The arguments of CreateTrainingJob."""
    job = props.job
    metrics = [{"Name": name, "Regex": regex} for name, regex in job.patterns.items()]
    own_tags = {**tags(props.spec), "job": props.job_name, "run": jsonata("$states.context.Execution.Name")}
    return {
        "TrainingJobName": jsonata(TRAINING_JOB),
        "AlgorithmSpecification": {
            "TrainingImage": jsonata("$attempts[$attempt - 1].image"),
            "TrainingInputMode": "File",
            "MetricDefinitions": metrics,
        },
        "HyperParameters": jsonata("$merge([$ownHyperparameters, $overrides, $fixedHyperparameters])"),
        "RoleArn": props.execution_role_arn,
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{props.data_bucket}/{one.prefix}",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for channel, one in job.channels.items()
        ],
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{props.artifacts_bucket}/models/{props.job_name}",
            "KmsKeyId": props.key_arn,
        },
        "ResourceConfig": jsonata("$attempts[$attempt - 1].resources"),
        "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_minutes * 60},
        # The guardrails ask it of every job; one on a single instance has no traffic to encrypt.
        "EnableInterContainerTrafficEncryption": True,
        **({"VpcConfig": props.place.vpc_config} if props.place else {}),
        "Tags": [{"Key": key, "Value": value} for key, value in own_tags.items()],
    }


def _gate_states(gate: Gate) -> States:
    """Let a model pass only when its metric is there and within the bound."""
    name, value = literal(gate.metric), f"$lookup($metrics, {literal(gate.metric)})"
    if gate.at_most is not None:
        passes, bound = f"{value} <= {literal(gate.at_most)}", f"at most {gate.at_most:.10g}"
    else:
        passes, bound = f"{value} >= {literal(gate.at_least)}", f"at least {gate.at_least:.10g}"
    missing = {
        "error": "Atelier.MetricMissing",
        "cause": jsonata(
            f"'the gate asks for {bound} of ' & {name} & ', which the job did not report; it reported: '"
            " & $join($keys($metrics), ', ')"
        ),
    }
    not_passed = {
        "error": "Atelier.GateNotPassed",
        "cause": jsonata(f"{name} & ' is ' & $string({value}) & ', the gate asks for {bound}'"),
    }
    return {
        "Is the metric there?": choice((f"$exists({value})", "Is the gate passed?"), otherwise="No metric"),
        "No metric": assign({"failure": missing}, then="Explain"),
        "Is the gate passed?": choice((passes, "Register the model"), otherwise="Gate not passed"),
        "Gate not passed": assign({"failure": not_passed}, then="Explain"),
    }


def _register_states(props: TrainingWorkflowProps) -> States:
    """Register the model with where it comes from, tell people, end."""
    at_once = props.spec.approval == "automatic"
    status = "approved" if at_once else "waits for approval"
    output = {
        "run": jsonata("$states.context.Execution.Name"),
        "job": props.job_name,
        "trainingJob": jsonata(TRAINING_JOB),
        "metrics": jsonata("$metrics"),
        "modelPackage": jsonata("$modelPackage"),
        "status": status,
    }
    return {
        "Register the model": task(
            f"{API}:sagemaker:createModelPackage",
            _model_package(props, approval="Approved" if at_once else "PendingManualApproval"),
            then="Tell of the model",
            on_error=catch("Explain"),
            assign={"modelPackage": jsonata("$states.result.ModelPackageArn")},
        ),
        "Tell of the model": notify(
            props.topic_arn,
            literal(f"[atelier] job {props.job_name}: a new model {status}"),
            f"{literal(f'Job {props.job_name}, run ')} & $states.context.Execution.Name"
            f" & ', registered a model, which {status}.\\n\\nMetrics: ' & $string($metrics)"
            " & '\\nModel package: ' & $modelPackage",
            then="Done",
        ),
        "Done": {"Type": "Succeed", "Output": output},
    }


def _model_package(props: TrainingWorkflowProps, *, approval: str) -> dict[str, Any]:
    """The arguments of CreateModelPackage: how to serve the model, and its lineage."""
    spec, name = props.spec, props.job_name
    lineage = {
        "run": "$states.context.Execution.Name",
        "job": literal(name),
        "trigger": "$trigger",
        "training-job": TRAINING_JOB,
        "data": "$fingerprint",
        "code": literal(props.code.digest),
    }
    # One expression: the metrics' names are known only when the job has reported them.
    members = ", ".join(f"{literal(key)}: {value}" for key, value in lineage.items())
    return {
        "ModelPackageGroupName": names.model_package_group(spec.team, spec.name, name),
        "ModelPackageDescription": jsonata("'Run ' & $states.context.Execution.Name"),
        "ModelApprovalStatus": approval,
        # Registering again under the same token is registering once.
        "ClientToken": jsonata(f"$substring($hash({TRAINING_JOB}, 'SHA-256'), 0, 32)"),
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": inference_image(_framework(props.job), spec.region, _serving_instance(props)),
                    "ModelDataUrl": jsonata("$trained.model"),
                    "Environment": {
                        "SAGEMAKER_PROGRAM": props.code.inference_program,
                        "SAGEMAKER_SUBMIT_DIRECTORY": props.code_url,
                        "SAGEMAKER_REGION": spec.region,
                    },
                }
            ],
            "SupportedContentTypes": CONTENT_TYPES,
            "SupportedResponseMIMETypes": CONTENT_TYPES,
        },
        "MetadataProperties": {"GeneratedBy": jsonata("$trained.arn")},
        "CustomerMetadataProperties": jsonata(f"$merge([{{{members}}}, {METADATA_OF_METRICS}])"),
    }


def _serving_instance(props: TrainingWorkflowProps) -> str:
    """The type that the inference image must fit: that of an endpoint of this job, if there is one."""
    endpoints = props.spec.endpoints.values()
    served = (endpoint.instance for endpoint in endpoints if endpoint.job == props.job_name)
    return next(served, props.job.instances[0])
