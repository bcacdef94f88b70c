"""Checks of what a job trains and how: each refusal names the place, the value and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from atelier.spec import TeamEnvironment, load_team

HEAD = """\
team: tiny
owners: [you@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1}
images: {own: {}}
jobs:
  job:
"""
SCRIPT = "script: curve, framework: sklearn"
DECLARED = "script: declared, framework: sklearn"
TUNED = f"{DECLARED}, metrics: [loss], tuning: {{objective: {{metric: loss, goal: minimize}}"
BLAZING = "algorithm: blazingtext, hyperparameters: {mode: supervised}"
ACCURATE = "objective: {metric: 'validation:accuracy', goal: maximize}"
JUMPSTART = 'model: m, version: "1.0.0", artifact: s3://bucket/model.tar.gz'
TRAINED = f"{JUMPSTART}, framework: pytorch, training: {{artifact: s3://b/t, script: s3://b/s}}"
CHANNELS_20 = ", ".join(f"c{number}: {{}}" for number in range(20))


def team(job: str) -> str:
    """A team file with one job, `{…}` in YAML's flow style without the braces."""
    return f"{HEAD}    {{{job}}}\n"


@pytest.fixture
def loaded(project):
    """`loaded(job)`: the environment with this job."""

    def load(job: str) -> TeamEnvironment:
        path = Path(project) / "teams" / "tiny.yaml"
        path.write_text(team(job))
        return load_team(path).environments["dev"]

    return load


@pytest.mark.parametrize(
    ("job", "path", "reason", "remedy"),
    [
        (f"{SCRIPT}, algorithm: xgboost, hyperparameters: {{num_round: 5}}", "algorithm", "brings", "both"),
        (f"{BLAZING}, image: own", "image", "has an algorithm already", "one of the two"),
        ("algorithm: blazingtxt", "algorithm", "must be", "blazingtext?"),
        ('algorithm: {name: xgboost, version: "9"}', "algorithm.version", "no managed", "3.2-0"),
        ("image: onw", "image", "no image is declared", "did you mean own?"),
        (
            f"image: {{name: own, tag: a, digest: 'sha256:{'0' * 64}'}}",
            "image.tag",
            "says which image",
            "keep",
        ),
        ("image: {name: own, digest: 'sha256:1'}", "image.digest", "64 hexadecimal digits", "sha256"),
        (f"{SCRIPT}, prepare: {{}}", "prepare", "curve holds no prepare.py", "add the file"),
        (f"{BLAZING}, prepare: {{}}", "prepare", "nothing says where", "prepare_script"),
        (f"{BLAZING}, prepare_script: topics_blazingtext", "prepare_script", "no preparation", "prepare: {}"),
        (f"{DECLARED}, prepare_script: mute, prepare: {{}}", "prepare_script", "lies in", "remove"),
        (f"{BLAZING}, prepare_script: topics, prepare: {{}}", "prepare_script", "no folder", "topics_blaz"),
        (f"{DECLARED}, prepare: {{arguments: {{kep: 1}}}}", "prepare.arguments.kep", "declares no", "keep?"),
        (f"{DECLARED}, prepare: {{arguments: {{keep: 2}}}}", "prepare.arguments.keep", "at most 1", "1 or"),
        (f"{DECLARED}, prepare: {{instance: ml.m5.larg}}", "prepare.instance", "for processing", "large?"),
        (f"{DECLARED}, prepare: {{instance: ml.g5.xlarge}}", "prepare.instance", "(gpu)", "CPU"),
        (
            f"{DECLARED}, prepare: {{inputs: {{train: a/}}}}, channels: {{train: b/}}",
            "prepare.inputs.train",
            "a channel of this name is uploaded too",
            "rename",
        ),
        (f"{DECLARED}, hyperparameters: {{epoch: 1}}", "hyperparameters.epoch", "declares no", "epochs?"),
        (f"{DECLARED}, hyperparameters: {{epochs: 0}}", "hyperparameters.epochs", "at least 1", "or more"),
        (f"{DECLARED}, hyperparameters: {{epochs: 1.5}}", "hyperparameters.epochs", "a whole number", "20"),
        (f"{DECLARED}, hyperparameters: {{epochs: true}}", "hyperparameters.epochs", "a whole number", "20"),
        (f"{DECLARED}, hyperparameters: {{shuffle: 1}}", "hyperparameters.shuffle", "true or false", "true"),
        (f"{DECLARED}, hyperparameters: {{solver: adm}}", "hyperparameters.solver", "one of adam", "adam?"),
        ("algorithm: blazingtext", "", "needs a value for mode", "add  mode"),
        (
            "algorithm: blazingtext, hyperparameters: {mode: supervised, learning_rate: 0}",
            "hyperparameters.learning_rate",
            "must be above 0",
            "more than 0",
        ),
        (
            "algorithm: blazingtext, hyperparameters: {mode: supervised, window_size: 3}",
            "hyperparameters.window_size",
            "is not taken with mode supervised",
            "it belongs to mode batch_skipgram or skipgram or cbow",
        ),
        ("algorithm: {name: xgboost}, hyperparameters: {num_rounds: 3, num_round: 3}",
         "hyperparameters.num_rounds", "xgboost declares no such name", "num_round?"),
        (f"{BLAZING}, metrics: [accuracy]", "metrics", "AWS itself reads", "remove"),
        (f"{BLAZING}, gate: {{metric: accuracy, at_least: 1}}", "gate.metric", "no such", "accuracy?"),
        (f"{SCRIPT}, metrics: [loss, 'validation:loss']", "metrics[0]", "would also be found", "train:loss"),
        (f"{SCRIPT}, metrics: 5", "metrics", "must be a mapping", ""),
        (f"{SCRIPT}, distribution: torchrun, instance_count: 2", "distribution", "pytorch", "framework"),
        ("script: curve, framework: pytorch, distribution: torchrun", "distribution", "nothing to", "raise"),
        ("script: curve, framework: pytorch, distribution: ddp", "distribution", "must be", "one of"),
        (f"{SCRIPT}, spot: {{max_wait_minutes: 60}}", "spot.max_wait_minutes", "waiting counts too", "raise"),
        (f"{BLAZING}, spot: {{}}", "spot", "writes no checkpoints", "max_wait_minutes: 60"),
        (f"{SCRIPT}, channels: {{train: {{mode: Fast}}}}", "channels.train.mode", "must be", "FastFile?"),
        (
            f"{SCRIPT}, channels: {{train: x/, validation: x/}}",
            "channels.validation",
            "the data of train too",
            "write  job/validation/",
        ),
        (
            f"{SCRIPT}, channels: {{train: job/, validation: job/validation/}}",
            "channels.train",
            "the data of validation too, which lie in job/validation/",
            "write  job/train/",
        ),
        (
            f"{SCRIPT}, channels: {{validation: {{prefix: x/a/b/}}, train: {{prefix: x/, mode: FastFile}}}}",
            "channels.train.prefix",
            "the data of validation too",
            "write  job/train/",
        ),
        (
            f"{DECLARED}, prepare: {{inputs: {{raw: job/}}}}, channels: {{train: job/raw/}}",
            "prepare.inputs.raw",
            "the data of train too",
            "a folder of its own",
        ),
        (f"{SCRIPT}, channels: {{train: {{prefx: a/}}}}", "channels.train.prefx", "no key", "prefix?"),
        (f"{SCRIPT}, transform: {{prepared: test}}", "transform.prepared", "no preparation", "input"),
        (
            f"{DECLARED}, prepare: {{}}, transform: {{prepared: test, input: a/}}",
            "transform.input",
            "the preparation's output",
            "keep",
        ),
        (f"{SCRIPT}, transform: {{instance: ml.p5.48xlarge}}", "transform.instance", "for transform", ""),
        ("script: mute, framework: sklearn, transform: {}", "transform", "does not say how", "inference.py"),
        (f"{TUNED}, ranges: {{rate: {{min: 0.5, max: 0.5}}}}}}", "tuning.ranges.rate.max", "not more", ""),
        (f"{TUNED}, ranges: {{rate: {{min: 0, max: 2}}}}}}", "tuning.ranges.rate.max", "at most 1", "less"),
        (f"{TUNED}, ranges: {{epochs: {{min: 1.5, max: 9}}}}}}", "tuning.ranges.epochs.min", "whole", "20"),
        (f"{TUNED}, ranges: {{solver: [sgd]}}}}", "tuning.ranges.solver[0]", "one of adam", ""),
        (f"{TUNED}, ranges: {{solver: {{min: 1, max: 2}}}}}}", "tuning.ranges.solver", "no bounds", "list"),
        (f"{TUNED}, ranges: {{shuffle: [true]}}}}", "tuning.ranges.shuffle", "not declared as tunable", ""),
        (f"{TUNED}, ranges: {{epoch: [1]}}}}", "tuning.ranges.epoch", "no such hyperparameter", "epochs?"),
        (
            f"{TUNED}, ranges: {{rate: {{min: 0, max: 1, scale: logarithmic}}}}}}",
            "tuning.ranges.rate.min",
            "begins above 0",
            "0.0001",
        ),
        (f"{TUNED}, ranges: {{rate: [0.1]}}, parallel: 20}}", "tuning.parallel", "all 10", "lower"),
        (
            f"{BLAZING}, tuning: {{{ACCURATE}, ranges: {{window_size: [2]}}}}",
            "tuning.ranges.window_size",
            "is not taken with mode supervised",
            "remove it",
        ),
        (
            f"{TUNED}, ranges: {{rate: {{min: 0, max: 1}}}}, strategy: grid}}",
            "tuning.ranges.rate",
            "lists of values",
            "another strategy",
        ),
        (f"{TUNED}, ranges: {{rate: [0.1]}}}}, hyperparameters: {{rate: 0.1}}", "tuning.ranges.rate",
         "under hyperparameters already", "remove one"),
        (f"jumpstart: {{{JUMPSTART}}}", "jumpstart", "which image serves", "framework"),
        (
            f"jumpstart: {{{JUMPSTART}, framework: pytorch, accept_licence: false}}",
            "jumpstart.accept_licence",
            "is not accepted",
            "true",
        ),
        (
            f"jumpstart: {{{JUMPSTART}, framework: pytorch, environment: {{A-B: x}}}}",
            "jumpstart.environment.A-B",
            "name of an environment variable",
            "HF_MODEL_ID",
        ),
        (
            f"jumpstart: {{{TRAINED}}}, channels: {{train: {{}}, model: {{}}}}",
            "channels.model",
            "gets the pretrained model",
            "another name",
        ),
        (
            f"jumpstart: {{{TRAINED}}}, channels: {{{CHANNELS_20}}}",
            "channels",
            "has 20 channels; 19 have room",
            "keep 19",
        ),
        (f"{SCRIPT}, instances: [ml.m5.large, ml.m5.large]", "instances[1]", "twice", "remove one"),
        (
            f"jumpstart: {{{JUMPSTART}, framework: pytorch}}, hyperparameters: {{a: 1}}",
            "hyperparameters",
            "registered as it is",
            "training",
        ),
    ],
)  # fmt: skip
def test_a_wrong_job_is_refused_where_it_is_wrong(refused, job, path, reason, remedy):
    """One finding, at the key or value that is to be changed."""
    text = team(job)
    if "rate" not in text:
        text = text.replace(
            DECLARED, DECLARED.replace("framework", "hyperparameters: {rate: 0.1}, framework")
        )
        text = (
            text.replace("hyperparameters: {rate: 0.1}, ", "") if text.count("hyperparameters:") > 1 else text
        )
    problems = refused(text)
    where = f"jobs.job.{path}".rstrip(".")
    assert where in {p.path for p in problems}, "\n\n".join(map(str, problems))
    assert [p for p in problems if p.path == where and reason in p.reason and remedy in p.remedy], problems


def test_a_tuning_jobs_name_must_fit(refused):
    """SageMaker takes 32 characters: the error says by how many the names are too long together."""
    text = team(f"{TUNED}, ranges: {{rate: [0.1]}}}}").replace("  job:", "  a-very-long-name-20:")
    [problem] = refused(text)
    assert problem.path == "jobs.a-very-long-name-20.tuning"
    assert "by 7 together" in problem.remedy


def test_a_broken_declaration_is_named(refused, project):
    """A hyperparameters.json that is none is the script's fault, and its file is named."""
    folder = project / "training_scripts/broken"
    folder.mkdir(exist_ok=True)
    (folder / "train.py").touch()
    for content, said in {
        "{": "is no JSON",
        "[]": "must map",
        '{"a": {"type": "int"}}': "a needs a type",
        '{"a": {"type": "integer", "min": 1}}': "minimum",
        '{"a": {"type": "integer", "minimum": "1"}}': "must be a number",
        '{"a": {"type": "integer", "default": 0.5}}': "its default must be a whole number",
    }.items():
        (folder / "hyperparameters.json").write_text(content)
        [problem] = refused(team("script: broken, framework: pytorch"))
        assert problem.path == "jobs.job.script"
        assert "hyperparameters.json" in problem.reason
        assert said in problem.reason


def test_defaults_of_a_preparation(loaded):
    """Without inputs there is one; the channels are what it writes; an upload to the input starts a run."""
    job = loaded(f"{BLAZING}, prepare_script: topics_blazingtext, prepare: {{}}").jobs["job"]
    assert job.prepare is not None
    assert job.sources == {"data": "job/data/"}
    assert job.prepared == ["train", "validation"]
    assert job.prepare.framework.version == "1.9-0"
    assert [trigger.upload for trigger in job.triggers] == [["data"]]


def test_a_channel_beside_the_preparation(loaded):
    """A channel with a prefix is uploaded; one without is prepared; a transform may read another output."""
    job = loaded(
        f"{BLAZING}, prepare_script: topics_blazingtext, prepare: {{inputs: {{topics: t/}}}},"
        " channels: {train: {}, weights: w/}, transform: {prepared: test}"
    ).jobs["job"]
    assert job.sources == {"topics": "t/", "weights": "w/"}
    assert job.prepared == ["train", "test"]
    assert job.transform is not None
    assert (job.transform.input, job.transform.accept) == (None, "text/csv")


def test_an_algorithm_has_the_metrics_of_aws(loaded):
    """They need not be declared to be the gate's."""
    job = loaded(f"{BLAZING}, gate: {{metric: 'validation:accuracy', at_least: 0.9}}").jobs["job"]
    assert set(job.metrics) >= {"train:accuracy", "validation:accuracy"}
    assert set(job.metrics.values()) == {""}


def test_spot_implies_checkpoints_and_a_wait(loaded):
    """Twice the run's own time, and never more than AWS allows."""
    job = loaded(f"{SCRIPT}, spot: {{}}").jobs["job"]
    assert job.checkpoints
    assert job.spot is not None
    assert job.spot.max_wait_minutes == 2 * 24 * 60
    longest = loaded(f"{SCRIPT}, max_runtime_minutes: 40320, spot: {{}}").jobs["job"]
    assert longest.spot is not None
    assert longest.spot.max_wait_minutes == 40320


def test_named_metrics_get_the_expression_of_what_scripts_print(loaded):
    """`name=value` with every kind of number, and nothing of the name is an operator."""
    metrics = loaded(f"{SCRIPT}, metrics: ['validation:rmse', 'f1.score']").jobs["job"].metrics
    assert metrics == {
        "validation:rmse": r"validation:rmse=([-+0-9.eE]+)",
        "f1.score": r"f1\.score=([-+0-9.eE]+)",
    }


def test_names_and_numbers_that_fine_tuning_alone_takes_are_free_elsewhere(loaded):
    """A script may have a channel called model, and twenty in all."""
    assert len(loaded(f"{SCRIPT}, channels: {{{CHANNELS_20}}}").jobs["job"].channels) == 20
    assert "model" in loaded(f"{SCRIPT}, channels: {{model: {{}}}}").jobs["job"].channels


def test_folders_that_only_begin_alike_are_apart(loaded):
    """A prefix ends in a slash, so that train/ holds nothing of train2/; the defaults do not meet either."""
    job = loaded(f"{SCRIPT}, channels: {{train: a/train/, train2: a/train2/, validation: {{}}}}").jobs["job"]
    assert job.sources["validation"] == "job/validation/"


def test_a_pretrained_model_needs_no_channels(loaded):
    """Registered as it is, it has neither channels nor a trigger; its addresses hold the region."""
    jumpstart = JUMPSTART.replace("s3://bucket/model.tar.gz", "'s3://jumpstart-{region}/m/'")
    job = loaded(f"jumpstart: {{{jumpstart}, framework: pytorch}}").jobs["job"]
    assert not job.trains
    assert (job.channels, job.triggers) == ({}, [])
    assert job.jumpstart is not None
    assert job.jumpstart.artifact == "s3://jumpstart-eu-west-1/m/"


@pytest.mark.parametrize(
    ("framework", "requirements", "warned"),
    [
        ("sklearn", "torch>=2.9\ntransformers==5.3.0\n", "framework: pytorch or huggingface brings it"),
        ("pytorch", "tensorflow-cpu==2.21.0\n", "framework: tensorflow brings it"),
        ("pytorch", "torch==2.13.0\ntransformers\n", None),
        ("sklearn", "# torch\ntorchmetrics\nscikit-learn==1.9.1\n", None),
    ],
)
def test_warns_of_a_framework_that_another_would_bring(project, framework, requirements, warned):
    """A script that installs a framework of its own works, and often means that the wrong one is named."""
    script = project / "training_scripts/foreign"
    script.mkdir(exist_ok=True)
    (script / "train.py").touch()
    (script / "requirements.txt").write_text(requirements)
    path = project / "teams" / "tiny.yaml"
    path.write_text(team(f"script: foreign, framework: {framework}"))
    said = [one for one in load_team(path).warnings if " brings it" in one]
    assert [one.partition("; ")[2] for one in said] == ([warned] if warned else [])
