"""The definition of a job's state machine: prepare, train or tune, judge, register, predict, tell.

Its input is `{"run", "job", "trigger", "hyperparameters", "fingerprint", "experiment", "approval"}` as
`start_training` writes it; all may be missing, so that a run can be started from the console with `{}`. With
the approval "manual" the model waits for a person in any environment. Its output is `{"run", "job",
"experiment", "metrics", "modelPackage", "status"}`, with `trainingJob`, what tuning found as `tuned`, and
`transform`, the URL of a batch's predictions, where there are any; its error and cause are explained.
"""

from __future__ import annotations

from typing import Any

from stacks.constructs.asl import States, failure_states, jsonata, literal, notify
from stacks.constructs.training_steps import begin, gate, prepare, register, train, transform, tune
from stacks.constructs.training_steps.props import APPROVED, RUN, TrainingWorkflowProps

__all__ = ["TrainingWorkflowProps", "training_definition"]

LAST = "Tell of the model"


def training_definition(props: TrainingWorkflowProps) -> dict[str, Any]:
    """The definition of the job's state machine."""
    return {
        "Comment": f"Trains job {props.job_name} of team {props.spec.team} in {props.spec.name}",
        "QueryLanguage": "JSONata",
        "StartAt": begin.FIRST,
        "States": {
            **_steps(props),
            **_last_states(props),
            **failure_states(
                props.explain_arn,
                props.topic_arn,
                what=f"job {props.job_name}",
                log_group=jsonata("$log.group"),
                log_stream="$log.stream",
            ),
        },
    }


def _steps(props: TrainingWorkflowProps) -> States:
    """The steps that the job has, each leading to the next."""
    job = props.job
    # From the last to the first, since each must know what follows it.
    states: States = {}
    after = LAST
    if job.transform is not None:
        states, after = transform.transform_states(props, then=after), transform.FIRST
    states, after = {**register.register_states(props, then=after), **states}, register.FIRST
    if job.gate is not None:
        states, after = {**gate.gate_states(job.gate, then=after), **states}, gate.FIRST
    if job.tuning is not None:
        states, after = {**tune.tune_states(props, then=after), **states}, tune.FIRST
    elif job.trains:
        states, after = {**train.train_states(props, then=after), **states}, train.FIRST
    if job.prepare is not None:
        states, after = {**prepare.prepare_states(props, then=after), **states}, prepare.FIRST
    return {**begin.begin_states(props, then=after), **states}


def _last_states(props: TrainingWorkflowProps) -> States:
    """Tell people, end."""
    job, name = props.job, props.job_name
    status = f"($approval = {literal(APPROVED)} ? 'approved' : 'waits for approval')"
    output = {
        "run": jsonata(RUN),
        "job": name,
        "experiment": jsonata("$experiment"),
        "metrics": jsonata("$metrics"),
        "modelPackage": jsonata("$modelPackage"),
        "status": jsonata(status),
        **({"trainingJob": jsonata("$trained.name")} if job.trains else {}),
        **({"tuned": jsonata("$tuned")} if job.tuning else {}),
        **({"transform": transform.output_url(props)} if job.transform else {}),
    }
    return {
        LAST: notify(
            props.topic_arn,
            f"{literal(f'[atelier] job {name}: a new model ')} & {status}",
            f"{literal(f'Job {name}, run ')} & {RUN}"
            f" & ', registered a model, which ' & {status} & '.\\n\\nMetrics: ' & $string($metrics)"
            " & '\\nModel package: ' & $modelPackage",
            then="Done",
        ),
        "Done": {"Type": "Succeed", "Output": output},
    }
