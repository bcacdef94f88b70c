"""`start_training`: what an event means, and that each run is started exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.start_training.handler import respond
from lambdas.start_training.logic import Fingerprint, Run, StoredObject, parse
from lambdas.start_training.settings import JobSettings, StartTrainingSettings

BUCKET = "vision-dev-data-111122223333-eu-west-1"
MACHINES = "arn:aws:states:eu-west-1:111122223333:stateMachine:vision-dev-train-"
SETTINGS = StartTrainingSettings(
    bucket=BUCKET,
    machines=MACHINES,
    jobs={
        "curve": JobSettings(
            {"train": "curve/train/", "validation": "curve/validation/"}, ("train", "validation")
        ),
        "nightly": JobSettings({"train": "curve/train/"}, ()),
    },
)
ANY_OBJECT = st.builds(
    StoredObject,
    key=st.text(min_size=1, max_size=20).filter(lambda key: not key.endswith("/")),
    size=st.integers(0, 2**40),
    etag=st.text(max_size=8),
    modified=st.text(max_size=8),
)


@dataclass
class Workplace:
    """A bucket and state machines in memory."""

    stored: list[StoredObject] = field(default_factory=list)
    started: dict[str, Run] = field(default_factory=dict)

    def put(self, key: str, etag: str = "e1", modified: str = "2026-11-21T08:00:00") -> None:
        self.stored = [old for old in self.stored if old.key != key]
        self.stored.append(StoredObject(key, 10, etag, modified))

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        return (stored for stored in self.stored if stored.key.startswith(prefix))

    def start(self, run: Run) -> bool:
        if run.name in self.started:
            return False
        self.started[run.name] = run
        return True

    def execution(self, run: Run) -> str:
        return f"execution:{run.name}"


def upload(key: str, bucket: str = BUCKET) -> dict[str, object]:
    """The event as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": 10, "etag": "e1"}},
    }


@pytest.fixture
def workplace() -> Workplace:
    """A bucket in which both channels of `curve` hold data."""
    place = Workplace()
    place.put("curve/train/a.csv")
    place.put("curve/validation/a.csv")
    return place


def test_twenty_deliveries_of_an_event_are_one_run(workplace):
    """However often EventBridge delivers an upload, one execution is started, and all deliveries succeed."""
    answers = [
        respond(upload("curve/train/a.csv"), f"r{i}", SETTINGS, workplace)["runs"][0] for i in range(20)
    ]
    assert len(workplace.started) == 1
    assert [answer["status"] for answer in answers] == ["started"] + ["already started"] * 19
    assert len({answer["execution"] for answer in answers}) == 1


def test_uploads_to_both_channels_are_one_run(workplace):
    """The events of train and validation that arrive together find the same data: the same run."""
    first = respond(upload("curve/train/a.csv"), "r1", SETTINGS, workplace)
    second = respond(upload("curve/validation/a.csv"), "r2", SETTINGS, workplace)
    assert first["runs"][0]["run"] == second["runs"][0]["run"]


def test_writing_the_data_again_is_another_run(workplace):
    """Who uploads the same bytes again, after mending the script say, gets another run."""
    respond(upload("curve/train/a.csv"), "r1", SETTINGS, workplace)
    workplace.put("curve/train/a.csv", modified="2026-11-21T09:00:00")
    respond(upload("curve/train/a.csv"), "r2", SETTINGS, workplace)
    assert len(workplace.started) == 2


def test_waits_for_a_channel_without_data():
    """While a channel is empty nothing starts, and the answer names it; a folder's marker is no data."""
    workplace = Workplace()
    workplace.put("curve/train/a.csv")
    workplace.put("curve/validation/")
    answer = respond(upload("curve/train/a.csv"), "r", SETTINGS, workplace)
    assert answer == {"runs": [{"job": "curve", "status": "waiting", "channel": "validation"}]}
    assert not workplace.started


@pytest.mark.parametrize(
    "key", ["curve/other/a.csv", "curve/train", "a.csv", "curve/train/", "curve/train/sub/"]
)
def test_ignores_what_no_job_listens_to(workplace, key):
    """An upload elsewhere, or the marker of a folder, starts nothing and is no error."""
    assert respond(upload(key), "r", SETTINGS, workplace) == {"runs": []}


def test_a_marker_is_the_file_that_is_waited_for(workplace):
    """Where a channel has several files, only the one that is uploaded last starts a run."""
    job = JobSettings({"train": "curve/train/"}, ("train",), markers={"train": "labels.npy"})
    settings = StartTrainingSettings(bucket=BUCKET, machines=MACHINES, jobs={"images": job})
    assert StartTrainingSettings.from_environment(settings.to_environment()) == settings
    started = [
        len(respond(upload(f"curve/train/{file}"), "r", settings, workplace)["runs"])
        for file in ("images.npy", "old-labels.npy", "labels.npy", "part/labels.npy")
    ]
    assert started == [0, 0, 1, 1]


def test_takes_keys_as_eventbridge_gives_them(workplace):
    """EventBridge does not quote keys: a plus and a percent sign are themselves."""
    settings = StartTrainingSettings(
        bucket=BUCKET, machines=MACHINES, jobs={"odd": JobSettings({"train": "a+b%20c/"}, ("train",))}
    )
    workplace.put("a+b%20c/x.csv")
    assert respond(upload("a+b%20c/x.csv"), "r", settings, workplace)["runs"][0]["status"] == "started"


def test_a_request_starts_a_run_of_its_own(workplace):
    """The same data can be trained again on request; a repeated delivery of the request is the same run."""
    request = {"job": "curve", "hyperparameters": {"units": 20, "solver": "adam", "warm": True}}
    names = [
        respond(request, request_id, SETTINGS, workplace)["runs"][0]["run"] for request_id in ("a", "a", "b")
    ]
    assert names == ["curve-manual-a", "curve-manual-a", "curve-manual-b"]
    started = json.loads(workplace.started["curve-manual-a"].execution_input())
    assert started["hyperparameters"] == {"units": "20", "solver": '"adam"', "warm": "true"}
    assert started["trigger"] == "manual"


def test_a_request_writes_text_as_it_is_for_other_containers(workplace):
    """Built-in algorithms and own images read hyperparameters as text, as the SageMaker SDK writes them."""
    jobs = {"words": JobSettings({"train": "curve/train/"}, (), encodes=False)}
    settings = StartTrainingSettings(bucket=BUCKET, machines=MACHINES, jobs=jobs)
    request = {"job": "words", "hyperparameters": {"mode": "supervised", "rate": 0.1, "early_stopping": True}}
    respond(request, "a", settings, workplace)
    started = json.loads(workplace.started["words-manual-a"].execution_input())
    assert started["hyperparameters"] == {"mode": "supervised", "rate": "0.1", "early_stopping": "True"}


def test_a_request_may_name_an_experiment(workplace):
    """Without one, the job's own is the state machine's to know."""
    for experiment in ("rates", None):
        request = {"job": "curve", "id": str(experiment), "experiment": experiment}
        respond(request, "a", SETTINGS, workplace)
        started = json.loads(workplace.started[f"curve-manual-{experiment}"].execution_input())
        assert started.get("experiment") == experiment


def test_a_request_may_hold_its_model_back(workplace):
    """A person decides on the model then; approving it is nothing that can be asked for."""
    for approval in ("manual", None):
        request = {"job": "curve", "id": str(approval), "approval": approval}
        respond(request, "a", SETTINGS, workplace)
        started = json.loads(workplace.started[f"curve-manual-{approval}"].execution_input())
        assert started.get("approval") == approval
    with pytest.raises(ValueError, match="approval must be 'manual' or left out: \"automatic\""):
        respond({"job": "curve", "approval": "automatic"}, "a", SETTINGS, workplace)


def test_a_scheduled_event_names_its_run(workplace):
    """The run of a schedule is named after the event, whatever the invocation that carries it."""
    event = {"job": "nightly", "trigger": "schedule", "id": "e-1"}
    runs = [respond(event, request_id, SETTINGS, workplace)["runs"][0] for request_id in ("a", "b")]
    assert [run["run"] for run in runs] == ["nightly-schedule-e-1"] * 2
    assert [run["status"] for run in runs] == ["started", "already started"]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({}, "neither an S3"),
        ({"job": 3}, "neither an S3"),
        ({"job": "curve", "hyperparameters": {"a": [1]}}, "hyperparameters"),
        ({"job": "curve", "hyperparameters": "a"}, "hyperparameters"),
        ({"job": "other"}, "no job 'other' here; the jobs are curve, nightly"),
        ({"detail-type": "Object Created", "detail": {"bucket": {}}}, "without 'name'"),
        (upload("curve/train/a.csv", bucket="another"), "another"),
    ],
)
def test_raises_what_it_cannot_handle(workplace, event, says):
    """An event that makes no sense is raised, so that it becomes a dead letter rather than being lost."""
    with pytest.raises(ValueError, match=says):
        respond(event, "r", SETTINGS, workplace)


def test_errors_of_aws_are_raised(workplace):
    """A run that could not be started is no success: Lambda is to try again."""

    def refuse(run: Run) -> bool:
        raise ConnectionError(run.name)

    workplace.start = refuse
    with pytest.raises(ConnectionError):
        respond(upload("curve/train/a.csv"), "r", SETTINGS, workplace)


@given(st.lists(ANY_OBJECT, unique=True, max_size=20), st.randoms())
def test_the_fingerprint_does_not_depend_on_order(objects, random):
    """However a listing is ordered, the same objects have the same fingerprint."""
    shuffled = list(objects)
    random.shuffle(shuffled)
    assert _fingerprint(objects) == _fingerprint(shuffled)


@given(st.lists(ANY_OBJECT, unique=True, min_size=1, max_size=8), st.data())
def test_the_fingerprint_shows_every_change(objects, data):
    """An object added or left out changes the fingerprint."""
    missing = data.draw(st.sampled_from(objects))
    assert _fingerprint(objects) != _fingerprint([stored for stored in objects if stored != missing])


def test_the_fingerprint_tells_channels_apart():
    """The same object in another channel is other data."""
    stored = StoredObject("a", 1, "e", "m")
    one, other = Fingerprint(), Fingerprint()
    one.add("train", [stored])
    other.add("validation", [stored])
    assert one.text() != other.text()


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.booleans() | st.floats()))
def test_parsing_gives_a_request_or_a_value_error(hyperparameters):
    """Any hyperparameters that JSON can carry are taken."""
    assert parse({"job": "curve", "hyperparameters": hyperparameters}, "r").hyperparameters == hyperparameters


def test_settings_of_forty_jobs_fit_into_lambdas_environment():
    """Forty jobs of the longest names, with their default channels, stay below Lambda's 4 KB."""
    names = [f"text-classifier-{number:04}" for number in range(40)]
    assert all(len(name) == 20 for name in names)
    settings = StartTrainingSettings(
        bucket=BUCKET,
        machines=MACHINES,
        jobs={
            name: JobSettings(
                {"train": f"{name}/train/", "validation": f"{name}/validation/"}, ("train", "validation")
            )
            for name in names
        },
    )
    environment = settings.to_environment()
    assert sum(len(key) + len(value) for key, value in environment.items()) < 4096
    assert StartTrainingSettings.from_environment(environment) == settings


def _fingerprint(objects: list[StoredObject]) -> str:
    fingerprint = Fingerprint()
    fingerprint.add("train", objects)
    return fingerprint.text()
