"""The step that searches: many training jobs, of which the best is the run's."""

from __future__ import annotations

from typing import Any

from atelier.spec.jobs import Range, Tuning
from stacks.constructs.asl import API, States, assign, choice, jsonata, task
from stacks.constructs.training_steps.props import (
    RETRY_JOB,
    TRAINING_JOB,
    TrainingWorkflowProps,
    explained,
)
from stacks.constructs.training_steps.train import (
    TRAINED,
    attempt_states,
    completion_states,
    on_capacity,
    shared_definition,
)

FIRST = "Tune"
SCALES = {
    "linear": "Linear",
    "logarithmic": "Logarithmic",
    "reverse_logarithmic": "ReverseLogarithmic",
}


def tune_states(props: TrainingWorkflowProps, *, then: str) -> States:
    """Tune to the end, then look at the best training job as if it had been the only one."""
    tuning = props.job.tuning
    if tuning is None:
        raise ValueError(f"job {props.job_name} has no tuning")
    metric = tuning.objective.metric
    none = {
        "error": "Atelier.NothingTuned",
        "cause": f"no training of the tuning job reported its objective, {metric}",
    }
    best = "$states.result.BestTrainingJob"
    tune = task(
        "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
        _tuning_job(props, tuning),
        then="Is there a best?",
        # The trainings of a tuning job are named after it.
        on_error=on_capacity(log_ends="-"),
        retry=RETRY_JOB,
        assign={
            "best": jsonata(f"'' & {best}.TrainingJobName"),
            "tuned": jsonata(f"$merge([{{}}, {best}.TunedHyperParameters])"),
        },
    )
    return {
        FIRST: tune,
        **attempt_states(FIRST),
        "Is there a best?": choice(("$best != ''", "Look at the best"), otherwise="None is best"),
        "None is best": assign({"failure": none}, then="Explain"),
        "Look at the best": task(
            f"{API}:sagemaker:describeTrainingJob",
            {"TrainingJobName": jsonata("$best")},
            then="Has it completed?",
            on_error=explained(),
            assign=TRAINED,
        ),
        **completion_states("the best training job", then=then),
    }


def _tuning_job(props: TrainingWorkflowProps, tuning: Tuning) -> dict[str, Any]:
    """The arguments of CreateHyperParameterTuningJob; its name is as short as a training job's."""
    limits = {"MaxParallelTrainingJobs": tuning.parallel}
    if tuning.strategy != "grid":  # which has as many as there are combinations
        limits["MaxNumberOfTrainingJobs"] = tuning.max_jobs
    return {
        "HyperParameterTuningJobName": jsonata(TRAINING_JOB),
        "HyperParameterTuningJobConfig": {
            "Strategy": tuning.strategy.title(),
            "HyperParameterTuningJobObjective": {
                "Type": tuning.objective.goal.title(),
                "MetricName": tuning.objective.metric,
            },
            "ResourceLimits": limits,
            "ParameterRanges": _ranges(props, tuning),
            "TrainingJobEarlyStoppingType": "Auto" if tuning.early_stopping else "Off",
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": jsonata(
                "$merge([$ownHyperparameters, $overrides, $attempts[$attempt - 1].fixedHyperparameters])"
            ),
            **shared_definition(props),
        },
        "Tags": props.tags(),
    }


def _ranges(props: TrainingWorkflowProps, tuning: Tuning) -> dict[str, list[dict[str, Any]]]:
    """What is searched, by kind; the declaration says what a number is, else its bounds do."""
    found: dict[str, list[dict[str, Any]]] = {
        "IntegerParameterRanges": [],
        "ContinuousParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    for name, values in sorted(tuning.ranges.items()):
        if not isinstance(values, Range):
            encoded = [props.encode(value) for value in values]
            found["CategoricalParameterRanges"].append({"Name": name, "Values": encoded})
            continue
        declared = props.declared.get(name)
        bounds = isinstance(values.min, int) and isinstance(values.max, int)
        is_whole = declared.type == "integer" if declared else bounds
        scale = values.scale or (declared.scale if declared else None) or "auto"
        found["IntegerParameterRanges" if is_whole else "ContinuousParameterRanges"].append(
            {
                "Name": name,
                "MinValue": str(values.min),
                "MaxValue": str(values.max),
                "ScalingType": SCALES.get(scale, "Auto"),
            }
        )
    return found
