from __future__ import annotations

import datetime as dt
import json

import pytest

from atelier.spec.images import (
    NO_SUCCESSOR,
    PATCHES,
    SCOPES,
    ImageError,
    address,
    inference_image,
    names,
    patched_until,
    resolve,
    serving_version,
    training_image,
    versions,
)
from atelier.spec.sources import Framework


def test_addresses_are_those_of_the_sagemaker_sdk():
    """Addresses as `sagemaker.core.image_uris.retrieve` spells them, one for each form of tag."""
    expected = {
        ("sklearn", "1.9", "ml.m5.large"): "sagemaker-scikit-learn:1.9-0-cpu-py3",
        ("xgboost", "3.2", "ml.m5.large"): "sagemaker-xgboost:3.2-0",
        ("pytorch", "2.10", "ml.g5.xlarge"): "pytorch-training:2.10.0-gpu-py313",
        ("pytorch", "2.14", "ml.g5.xlarge"): "pytorch:2.14-cu133-amzn2023-sagemaker",
        ("tensorflow", "2.21", "ml.m5.large"): "tensorflow-training:2.21.0-cpu-py312",
        ("huggingface", "5.3", "ml.g5.xlarge"): (
            "huggingface-pytorch-training:2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04"
        ),
        ("mxnet", "1.9", "ml.m5.large"): "mxnet-training:1.9.0-cpu-py38",
    }
    for (name, version, instance_type), image in expected.items():
        found = training_image(Framework(name=name, version=version), "eu-west-1", instance_type)
        assert found.partition("/")[2] == image


def test_account_and_domain_are_the_regions():
    """The registry's account and domain follow the region."""
    framework = Framework(name="sklearn", version="1.9-0")
    found = {
        region: training_image(framework, region, "ml.m5.large") for region in ("eu-west-1", "cn-north-1")
    }
    assert found["eu-west-1"].startswith("141502667606.dkr.ecr.eu-west-1.amazonaws.com/")
    assert found["cn-north-1"].startswith("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/")


def test_blazingtext_serves_both():
    """The built-in algorithm has one image for training and inference."""
    scopes = {
        address("blazingtext", "1", scope, "us-east-1", "ml.c5.2xlarge")
        for scope in ("training", "inference")
    }
    assert scopes == {"811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"}


@pytest.mark.parametrize(
    ("framework", "version", "full"),
    [
        ("sklearn", None, "1.9-0"),
        ("sklearn", "1.4", "1.4-2-py312"),
        ("sklearn", "1.4-2", "1.4-2"),
        ("xgboost", None, "3.2-0"),
        ("pytorch", "2.1", "2.1.0"),
        ("pytorch", "2.10", "2.10.0"),
        ("tensorflow", None, "2.21.0"),
        ("huggingface", None, "5.3.0"),
    ],
)
def test_versions_may_be_short_or_omitted(framework, version, full):
    """A short version is the newest that begins so, part by part; none is the newest of all."""
    assert resolve(framework, version) == full


def test_a_version_that_is_gone_names_the_nearest():
    """The error names a version that exists, and the newest."""
    with pytest.raises(ImageError, match=r"nearest is 2\.19\.0, the newest 2\.21\.0"):
        resolve("tensorflow", "2.19.9")


@pytest.mark.parametrize(
    ("version", "remedy"), [("99.1", "the newest is 2.21.0"), ("0.1", "the nearest is ")]
)
def test_the_nearest_is_told_by_the_order_of_versions(version, remedy):
    """A version too high is pointed to the newest, one too low to the oldest, whatever their digits."""
    with pytest.raises(ImageError) as error:
        resolve("tensorflow", version)
    assert error.value.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("framework", "trained", "served"),
    [
        ("sklearn", "1.9", "1.9-0"),
        ("tensorflow", "2.21", "2.20.0"),
        ("pytorch", "2.14", "2.6.0"),
        ("pytorch", "2.3", "2.3.0"),
        ("sklearn", "1.4-2", "1.4-2-py312"),
        ("huggingface", "4.56", "4.51.3"),
        ("huggingface", "5.3", "5.5.3"),
        ("huggingface", "4.4", "4.6.1"),
    ],
)
def test_served_by_the_same_version_or_one_near_it(framework, trained, served):
    """An image newer than what trained the model serves it only where its major version has none older."""
    assert serving_version(framework, trained) == served


@pytest.mark.parametrize(
    ("framework", "region", "instance_type", "says"),
    [
        (Framework(name="sklearn"), "eu-west-1", "ml.g5.xlarge", "CPU instance"),
        (Framework(name="huggingface"), "eu-west-1", "ml.m5.large", "GPU instance"),
        (Framework(name="xgboost"), "eu-west-1", "ml.trn1.2xlarge", "neuron"),
        (Framework(name="sklearn"), "mars-north-1", "ml.m5.large", "another region"),
    ],
)
def test_no_image_says_why(framework, region, instance_type, says):
    """A processor or region without an image is refused with what to use instead."""
    with pytest.raises(ImageError, match=says):
        training_image(framework, region, instance_type)


def test_inference_image():
    """The inference image has its own repository and tag."""
    found = inference_image(Framework(name="pytorch", version="2.6"), "eu-west-1", "ml.g5.xlarge")
    assert found.partition("/")[2] == "pytorch-inference:2.6.0-gpu-py312"


def test_dates_are_of_images_that_exist():
    """Each end of patches is a day, and names an image of the table."""
    for name, days in json.loads(PATCHES.read_text(encoding="utf-8"))["patches_end"].items():
        framework = name.removesuffix("-inference")
        for version, day in days.items():
            assert dt.date.fromisoformat(day)
            known = {full for scope in SCOPES for full in versions(framework, scope)}
            assert any(full.startswith(version) for full in known), (framework, version)


def test_what_has_no_successor_is_over():
    """The advice to leave is given of nothing that AWS patches."""
    for framework, scope in NO_SUCCESSOR:
        assert "" < patched_until(framework, scope, versions(framework, scope)[0]) < "2026-11"


@pytest.mark.parametrize("framework", sorted(set(names()) - {"blazingtext"}))
@pytest.mark.parametrize("scope", SCOPES)
def test_every_version_has_an_end(framework, scope):
    """Of each framework that AWS has a policy for, down to the oldest version."""
    assert [one for one in versions(framework, scope) if not patched_until(framework, scope, one)] == []


@pytest.mark.parametrize(
    ("framework", "scope", "version", "end"),
    [
        ("pytorch", "training", "2.6.0", "2026-01"),
        ("pytorch", "inference", "2.6.0", "2026-06"),
        ("pytorch", "inference", "2.1.0", "2024-10"),
        ("pytorch", "training", "2.0.1", "2024-03"),
        ("pytorch", "training", "1.13.1", "2024-10"),
        ("pytorch", "training", "1.10.2", "2023-03"),
        ("tensorflow", "inference", "2.20.0", "2027-08"),
        ("tensorflow", "training", "2.6.3", "2022-11"),
        ("mxnet", "training", "1.6.0", "2023-09"),
        ("sklearn", "training", "1.4-2-py312", "2026-10"),
        ("xgboost", "training", "1.0-1", "2021-07"),
        ("huggingface", "training", "5.3.0", "2026-10"),
        ("huggingface", "inference", "5.5.3", "2026-06"),
        ("blazingtext", "training", "1", ""),
    ],
)
def test_the_end_of_patches(framework, scope, version, end):
    """Its own; without one, the first of those that are newer; of Hugging Face, that of its PyTorch."""
    assert patched_until(framework, scope, version) == end
