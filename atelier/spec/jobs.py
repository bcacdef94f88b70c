"""The schema of a job: what trains, on what, how, and what becomes of the model."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from atelier.spec.base import (
    CONTENT_TYPE,
    FILE_NAME,
    PROGRAM,
    SCHEDULE,
    ChannelName,
    ExperimentName,
    HyperParameter,
    InstanceType,
    Model,
    Number,
    S3Prefix,
    Short,
)
from atelier.spec.sources import Algorithm, Framework, JumpStart, OwnImage

DAY_MINUTES = 24 * 60
MAX_RUNTIME_MINUTES = 28 * DAY_MINUTES
MAX_METRICS = 40
MAX_CHANNELS = 20
UNASSIGNED = "unassigned"
"""The experiment of runs that belong to none."""
NUMBER = "([-+0-9.eE]+)"

Kind: TypeAlias = Literal["script", "algorithm", "image", "jumpstart"]
"""What trains: each is a key of a job, and a job has exactly one of them."""
Distribution: TypeAlias = Literal["torchrun", "mpi", "parameter_server"]
ContentType = Annotated[str, Field(pattern=CONTENT_TYPE.pattern, max_length=256)]


def metric_pattern(name: str) -> str:
    """The regular expression of a metric that a script prints as `name=value`."""
    return f"{re.escape(name)}={NUMBER}"


def _kind_of_metrics(value: Any) -> str:
    return "names" if isinstance(value, list) else "mapping"


Metrics = Annotated[
    Annotated[list[str], Field(max_length=MAX_METRICS), Tag("names")]
    | Annotated[dict[str, str], Field(max_length=MAX_METRICS), Tag("mapping")],
    Discriminator(_kind_of_metrics),
]
"""Names of what a script prints as the training scripts do, or names with expressions of their own."""


class Channel(Short):
    """A channel of training data; the prefix alone, `train: curve/train/`, is short for `{prefix: …}`."""

    short: ClassVar[str] = "prefix"

    prefix: S3Prefix | None = Field(default=None, examples=["curve/train/"])
    """Where in the data bucket; when omitted, `<job>/<channel>/`, or what the preparation writes."""
    mode: Literal["File", "FastFile", "Pipe"] = "File"
    """Copied before the job begins, fetched as files are read, or streamed."""
    content_type: ContentType | None = None
    """The format, where the image wants to be told: XGBoost reads CSV only as `text/csv`."""


class Gate(Model):
    """What a trained model must reach to be registered; exactly one bound."""

    metric: str = Field(examples=["validation:rmse"])
    """The name of one of the job's metrics."""
    at_most: float | None = None
    """The metric must be this or less."""
    at_least: float | None = None
    """The metric must be this or more."""


class Upload(Model):
    """Start a run when an object arrives in one of these, once each of them holds data."""

    upload: Annotated[list[ChannelName], Field(min_length=1, examples=[["train"]])]
    """Channels of the job, or inputs of its preparation."""
    marker: Annotated[str, Field(pattern=FILE_NAME.pattern, max_length=128)] | None = None
    """Only an object of this name starts a run: of several files, the one that is uploaded last."""


class Schedule(Model):
    """Start a run at these times: an EventBridge schedule expression, in UTC."""

    schedule: Annotated[str, Field(pattern=SCHEDULE.pattern, examples=[SCHEDULE.example])]
    """Such as `rate(1 day)` or `cron(0 6 * * ? *)`."""


KINDS_OF_TRIGGER = {"upload": "Upload", "schedule": "Schedule"}


def _kind_of_trigger(value: Any) -> str | None:
    if isinstance(value, Upload | Schedule):
        return type(value).__name__
    # With both or neither, the error should say so rather than come twice.
    kinds = [kind for key, kind in KINDS_OF_TRIGGER.items() if isinstance(value, dict) and key in value]
    return kinds[0] if len(kinds) == 1 else None


Trigger = Annotated[
    Annotated[Upload, Tag(KINDS_OF_TRIGGER["upload"])]
    | Annotated[Schedule, Tag(KINDS_OF_TRIGGER["schedule"])],
    Discriminator(
        _kind_of_trigger,
        custom_error_type="trigger",
        custom_error_message="must be a mapping with one key, upload or schedule",
    ),
]


class Prepare(Model):
    """A processing job that runs before the training: it turns uploaded data into the channels.

    The program lies in the job's script folder, reads /opt/ml/processing/input/<name> and writes
    /opt/ml/processing/output/<channel>.
    """

    program: Annotated[str, Field(pattern=PROGRAM.pattern)] = "prepare.py"
    """The program in the script's folder; its packages stand in requirements-prepare.txt."""
    framework: Framework = Framework(name="sklearn")
    """The managed framework that runs it."""
    instance: InstanceType = "ml.m5.large"
    """The type of its one instance."""
    volume_gb: Annotated[int, Field(ge=1, le=16384)] = 30
    """The storage for its input and output."""
    max_runtime_minutes: Annotated[int, Field(ge=1, le=9 * DAY_MINUTES)] = DAY_MINUTES
    """A preparation that takes longer is stopped; at most 9 days."""
    arguments: dict[str, HyperParameter] = {}
    """What the program gets as arguments."""
    inputs: Annotated[dict[ChannelName, S3Prefix], Field(min_length=1, max_length=8)] = {}
    """Input to prefix in the data bucket; `<job>/data/` as the input `data`, when omitted."""
    outputs: Annotated[list[ChannelName], Field(max_length=8)] = []
    """What it writes besides the channels, to be kept with them."""


class Transform(Model):
    """A batch transform: the new model predicts for all objects of a prefix, once it is registered."""

    input: S3Prefix | None = Field(default=None, examples=["curve/batch/"])
    """What in the data bucket is predicted for."""
    prepared: ChannelName | None = None
    """The preparation's output that is predicted for, in place of `input`."""
    content_type: ContentType = "text/csv"
    """The format of the objects."""
    split: Literal["Line", "None"] = "Line"
    """Whether a record is a line, or an object."""
    accept: ContentType | None = None
    """The format of the answers; as `content_type`, when omitted."""
    join: bool = False
    """Whether each answer follows its record in the output, rather than stands alone."""
    instance: InstanceType = "ml.m5.large"
    """The type of its instances."""
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    """How many."""


class Spot(Model):
    """Training on spare capacity, for a fraction of the price; a run that is interrupted goes on later."""

    max_wait_minutes: Annotated[int, Field(ge=1, le=MAX_RUNTIME_MINUTES)] | None = None
    """How long a run may take in all, waiting included; twice its max_runtime_minutes, when omitted."""


class Objective(Model):
    """What tuning improves."""

    metric: str = Field(examples=["validation:rmse"])
    """The name of one of the job's metrics."""
    goal: Literal["minimize", "maximize"]
    """In which direction."""


class Range(Model):
    """The values of a number that tuning may try; whole numbers, when both bounds are."""

    min: Number = Field(examples=[1])
    """The least."""
    max: Number = Field(examples=[100])
    """The most."""
    scale: Literal["auto", "linear", "logarithmic", "reverse_logarithmic"] | None = None
    """How it is searched; as the hyperparameter's declaration says, or `auto`, when omitted."""


def _kind_of_range(value: Any) -> str:
    return "values" if isinstance(value, list) else "Range"


Searched = Annotated[
    Annotated[Range, Tag("Range")]
    | Annotated[list[HyperParameter], Field(min_length=1, max_length=30), Tag("values")],
    Discriminator(_kind_of_range),
]


class Tuning(Model):
    """Automatic model tuning: many trainings, of which the best becomes the run's model."""

    objective: Objective
    """What is improved."""
    ranges: Annotated[dict[str, Searched], Field(min_length=1, max_length=30)]
    """Hyperparameter to bounds, or to a list of values."""
    max_jobs: Annotated[int, Field(ge=1, le=750)] = 10
    """How many trainings in all."""
    parallel: Annotated[int, Field(ge=1, le=100)] = 2
    """How many at the same time."""
    strategy: Literal["bayesian", "random", "grid", "hyperband"] = "bayesian"
    """How the next values are chosen."""
    early_stopping: bool = False
    """Stop trainings that will not be the best."""


class Job(Model):
    """A training job: one state machine that prepares, trains or tunes, gates, registers, transforms."""

    script: str | None = None
    """The folder below training_scripts/ that holds train.py (and inference.py, requirements.txt)."""
    framework: Framework | None = None
    """The managed framework that runs the script."""
    algorithm: Algorithm | None = None
    """One of AWS's built-in algorithms, in place of a script and framework."""
    image: OwnImage | None = None
    """One of the team's own images (see `images`), in place of a script and framework."""
    jumpstart: JumpStart | None = None
    """A pretrained model of SageMaker JumpStart, in place of a script and framework."""
    instances: Annotated[list[InstanceType], Field(min_length=1, max_length=5)] = ["ml.m5.large"]
    """In order of preference: the next is taken when capacity is missing."""
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    """How many instances one run uses."""
    distribution: Distribution | None = None
    """What starts the script on all instances and GPUs."""
    volume_gb: Annotated[int, Field(ge=1, le=16384)] = 30
    """The storage of each instance, for data, checkpoints and model."""
    max_runtime_minutes: Annotated[int, Field(ge=1, le=MAX_RUNTIME_MINUTES)] = DAY_MINUTES
    """A run that takes longer is stopped; at most 28 days."""
    checkpoints: bool = False
    """Keep what the script writes to /opt/ml/checkpoints, and give it back to a run that goes on."""
    spot: Spot | None = None
    """Train on spare capacity, with checkpoints; `spot: {}` is enough."""
    prepare_script: str | None = None
    """The folder below training_scripts/ that holds the preparation, where the job has no script."""
    prepare: Prepare | None = None
    """What makes the channels from uploaded data, before the training; `prepare: {}` is enough."""
    channels: Annotated[dict[ChannelName, Channel], Field(min_length=1, max_length=MAX_CHANNELS)] = {}
    """Channel name to prefix in the data bucket; `train` and `validation` when omitted."""
    hyperparameters: dict[str, HyperParameter] = {}
    """What train.py gets as arguments; `atelier train --hyperparameter` changes them for one run."""
    tuning: Tuning | None = None
    """Search for the best hyperparameters in each run."""
    metrics: Metrics = {}
    """What the script prints as `name=value`: names; or name to an expression whose group is the value."""
    gate: Gate | None = None
    """Which metric decides whether a trained model is registered; every model is, when omitted."""
    transform: Transform | None = None
    """What the new model predicts for at once, as a batch."""
    triggers: Annotated[list[Trigger], Field(max_length=10)] = []
    """What starts a run: an upload to any channel, when omitted; nothing but a person, when empty."""
    experiment: ExperimentName | None = None
    """The experiment that its runs belong to; "unassigned", when omitted."""

    @property
    def kind(self) -> Kind:
        """What trains."""
        if self.algorithm is not None:
            return "algorithm"
        if self.image is not None:
            return "image"
        return "script" if self.jumpstart is None else "jumpstart"

    @property
    def patterns(self) -> dict[str, str]:
        """Each metric with the regular expression of its value in the log."""
        if isinstance(self.metrics, list):
            return {name: metric_pattern(name) for name in self.metrics}
        return self.metrics

    @property
    def trains(self) -> bool:
        """Whether a run trains: a pretrained model may be registered as it is."""
        return self.jumpstart is None or self.jumpstart.training is not None

    @property
    def folder(self) -> str | None:
        """The folder below training_scripts/ with the job's code, if it has any."""
        return self.script or self.prepare_script

    @property
    def prepared(self) -> list[str]:
        """The outputs of the preparation, once the defaults are filled in."""
        if self.prepare is None:
            return []
        channels = [name for name, one in self.channels.items() if one.prefix is None]
        batch = [self.transform.prepared] if self.transform and self.transform.prepared else []
        return list(dict.fromkeys([*channels, *batch, *self.prepare.outputs]))

    @property
    def sources(self) -> dict[str, str]:
        """What people upload for it, once the defaults are filled in: channel or input to prefix."""
        channels = {name: one.prefix for name, one in self.channels.items() if one.prefix is not None}
        return {**(self.prepare.inputs if self.prepare else {}), **channels}
