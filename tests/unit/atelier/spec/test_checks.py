from __future__ import annotations

import pytest

from atelier.spec import load_team, names


@pytest.mark.parametrize(
    ("old", "new", "path", "reason", "remedy"),
    [
        ("{job: curve}", "{job: curv}", "endpoints.curve.job", "no such job", "did you mean curve?"),
        ("script: curve", "script: curv", "jobs.curve.script", "no folder training_scripts/curv", "curve?"),
        ("script: curve", "script: empty", "jobs.curve.script", "holds no train.py", "add the file"),
        ("script: curve", "script: ../training_scripts/curve", "jobs.curve.script", "no folder", "curve"),
        ("script: curve", "script: mute", "endpoints.curve.job", "mute does not say how", "add inference.py"),
        ("    framework: sklearn\n", "", "jobs.curve.script", "needs the framework", "framework: sklearn"),
        ("    script: curve\n", "", "jobs.curve.framework", "needs a script", "script:"),
        ("    script: curve\n    framework: sklearn", "    volume_gb: 5", "jobs.curve", "what to train", ""),
        (
            "jobs:\n  curve:\n",
            "images: {own: {}}\njobs:\n  curve:\n    image: own\n",
            "jobs.curve.image",
            "brings its own",
            "not both",
        ),
        ("script: curve\n    framework: sklearn", "image: own", "jobs.curve.image", "no image", "images:"),
        (
            "framework: sklearn",
            "framework: {name: sklearn, version: '1.8'}",
            "jobs.curve.framework.version",
            "sklearn 1.8 has no managed training image",
            "1.9-0",
        ),
        (
            "framework: sklearn",
            "framework: sklearn\n    instances: [ml.g5.xlarge]",
            "jobs.curve.instances[0]",
            "no managed training image for ml.g5.xlarge (gpu)",
            "CPU instance",
        ),
        (
            "framework: sklearn",
            "framework: huggingface",
            "jobs.curve",
            "no managed training image for ml.m5.large (cpu)",
            "ml.g5.xlarge",
        ),
        ("{job: curve}", "{job: curve, instance: ml.c6g.large}", "endpoints.curve.instance", "graviton", ""),
        (
            "{job: curve}",
            "{job: curve, instance: ml.m5.larg}",
            "endpoints.curve.instance",
            "hosting",
            "large?",
        ),
        ("{job: curve}", "{job: curve, instance: ml.p2.xlarge}", "endpoints.curve.instance", "retired", "g5"),
        (
            "{job: curve}",
            "{job: curve, instance: ml.eia2.large}",
            "endpoints.curve.instance",
            "retired",
            "g4",
        ),
        (
            "script: curve",
            "script: curve\n    instances: [ml.m5.large, ml.r5.huge]",
            "jobs.curve.instances[1]",
            "no such instance type for training",
            "did you mean",
        ),
        (
            "{job: curve}",
            "{job: curve, scaling: {min_instances: 3, max_instances: 2}}",
            "endpoints.curve.scaling.max_instances",
            "less than min_instances, 3",
            "raise it",
        ),
        (
            "{job: curve}",
            "{job: curve, variants: {b: {job: curv}}}",
            "endpoints.curve.variants.b.job",
            "no such job",
            "did you mean curve?",
        ),
        (
            "{job: curve}",
            "{job: curve, variants: {b: {job: curve}}}",
            "endpoints.curve.variants.b.job",
            "the endpoint itself serves the models of this job already",
            "name another job",
        ),
        (
            "{job: curve}",
            "{job: curve, sample: {content_type: application/json; charset=utf-8, body: '[[1'}}",
            "endpoints.curve.sample.body",
            "is no JSON: Expecting ',' delimiter",
            "content_type",
        ),
        ("region: eu-west-1", "region: eu-wast-1", "environments.dev.region", "no such region", "eu-west-1?"),
        (
            "region: eu-west-1}",
            "region: eu-west-1, override: {team: other}}",
            "environments.dev.override.team",
            "an override cannot change this",
            "remove it",
        ),
        (
            "script: curve",
            "script: curve\n    triggers: [{upload: [train, tran]}]",
            "jobs.curve.triggers[0].upload[1]",
            "nothing is uploaded to a channel",
            "did you mean train?",
        ),
        (
            "script: curve",
            "script: curve\n    triggers: [{schedule: rate(1 days)}]",
            "jobs.curve.triggers[0].schedule",
            "1 goes with day",
            "rate(1 day)",
        ),
        (
            "script: curve",
            "script: curve\n    metrics: {loss: 'loss=('}",
            "jobs.curve.metrics.loss",
            "is no regular expression",
            "loss=([-+0-9.eE]+)",
        ),
        ("script: curve", "script: curve\n    metrics: {loss: 'a'}", "jobs.curve.metrics.loss", "has 0", "("),
        (
            "script: curve",
            "script: curve\n    metrics: {a: '(a)(b)'}",
            "jobs.curve.metrics.a",
            "has 2",
            "(?:",
        ),
        (
            "script: curve",
            "script: curve\n    metrics: {loss: '(a)'}\n    gate: {metric: los, at_most: 1}",
            "jobs.curve.gate.metric",
            "declares no such metric",
            "did you mean loss?",
        ),
        (
            "script: curve",
            "script: curve\n    gate: {metric: loss, at_most: 1}",
            "jobs.curve.gate.metric",
            "declares no such metric",
            "declare it",
        ),
        (
            "script: curve",
            "script: curve\n    metrics: {a: '(a)'}\n    gate: {metric: a, at_most: 1, at_least: 0}",
            "jobs.curve.gate",
            "exactly one bound",
            "at_most or at_least",
        ),
        (
            "script: curve",
            "script: curve\n    metrics: {a: '(a)'}\n    gate: {metric: a}",
            "jobs.curve.gate",
            "exactly one bound",
            "at_most or at_least",
        ),
        (
            "script: curve",
            "script: curve\n    hyperparameters: {sagemaker_program: x}",
            "jobs.curve.hyperparameters.sagemaker_program",
            "belong to SageMaker",
            "rename",
        ),
        (
            "script: curve",
            "script: curve\n    hyperparameters: {'': x}",
            "jobs.curve.hyperparameters.",
            "1 to 256 characters",
            "rename",
        ),
        (
            "script: curve",
            f"script: curve\n    hyperparameters: {{a: {'x' * 2499}}}",
            "jobs.curve.hyperparameters.a",
            "has 2501 characters as JSON; SageMaker takes 2500",
            "file",
        ),
        (
            "script: curve",
            f"script: curve\n    hyperparameters: {{{', '.join(f'p{n}: 1' for n in range(99))}}}",
            "jobs.curve.hyperparameters",
            "SageMaker takes 100, of which Atelier needs 2",
            "remove 1 of them",
        ),
    ],
)
def test_parts_that_do_not_fit(refused, smallest, old, new, path, reason, remedy):
    """A file of the right shape whose parts do not fit is refused where the misfit stands."""
    assert old in smallest
    problems = refused(smallest.replace(old, new, 1))
    assert {p.path for p in problems} == {path}, "\n\n".join(map(str, problems))
    assert any(reason in p.reason and remedy in p.remedy for p in problems), problems


def test_the_limits_themselves_are_allowed(project, smallest):
    """98 hyperparameters, a value of 2,500 characters and min_instances equal to max_instances pass."""
    many = ", ".join(f"p{n}: 1" for n in range(97))
    text = smallest.replace(
        "script: curve", f"script: curve\n    hyperparameters: {{a: {'x' * 2498}, {many}}}"
    )
    text = text.replace("{job: curve}", "{job: curve, scaling: {min_instances: 2, max_instances: 2}}")
    path = project / "teams" / "tiny.yaml"
    path.write_text(text)
    assert len(load_team(path).environments["dev"].jobs["curve"].hyperparameters) == 98


def test_a_config_has_one_key_for_all_its_variants(refused, smallest):
    """Types that encrypt disks of their own take none, so they do not go with the others."""
    deep = smallest.replace("endpoints:", "  deep: {script: curve, framework: sklearn}\nendpoints:")
    variants = "{job: curve, variants: {b: {job: deep, instance: ml.c5d.large}}}"
    [problem] = refused(deep.replace("{job: curve}", variants), "tiny")
    assert problem.path == "endpoints.curve.variants.b.instance"
    assert "takes no key" in problem.reason


def test_a_training_script_may_say_how_to_load_the_model(project, smallest):
    """One script may hold both: without an inference.py, model_fn is looked for in train.py."""
    script = project / "training_scripts/both/train.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text("def model_fn(model_dir):\n    ...\n")
    path = project / "teams" / "tiny.yaml"
    path.write_text(smallest.replace("script: curve", "script: both"))
    assert load_team(path).environments["dev"].jobs["curve"].script == "both"


def test_team_and_environment_must_fit_into_a_bucket_name(refused, smallest):
    """S3's 63 characters bound team and environment together; the error says how many are too many."""
    text = smallest.replace("tiny", "a2345678901234567890").replace("dev:", "b23456789012:")
    problem = refused(text, "a2345678901234567890")[0]
    bucket = names.bucket("a2345678901234567890", "b23456789012", "artifacts", "111122223333", "eu-west-1")
    assert problem.path == "environments.b23456789012"
    assert f"by {len(bucket) - 63} characters" in problem.remedy


def test_no_other_name_can_be_too_long():
    """With names of 20 characters everything but buckets fits the limits of AWS."""
    longest = "x" * 20
    assert len(names.training_machine(longest, longest, longest)) <= 80
    assert len(names.deploy_machine(longest, longest, longest)) <= 80
    assert len(names.endpoint(longest, longest, longest)) <= 63
    assert len(names.model_package_group(longest, longest, longest)) <= 63
    assert len(names.function(longest, longest, "start_deployment")) <= 64


def test_checks_of_an_override_point_into_it(refused, rich):
    """A bound that an override adds beside the base's is shown where the gate of that environment stands."""
    text = rich.replace("gate: {at_most: 180}", "gate: {metric: validation:rmsd}")
    problems = refused(text, "vision")
    assert [p.path for p in problems] == ["environments.prod.override.jobs.curve.gate.metric"]
    assert problems[0].line == text.splitlines().index("          gate: {metric: validation:rmsd}") + 1
