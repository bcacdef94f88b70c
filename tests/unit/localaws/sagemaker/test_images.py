"""What stands for an image, and what the log says where it does not run as it would on AWS."""

from __future__ import annotations

import pytest

from localaws.sagemaker.images import Images
from localaws.service import NotEmulated

REGISTRY = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
OWN = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/vision-dev/iris"
TORCH = "pytorch-training:2.5.1-gpu"
SKLEARN = "sagemaker-scikit-learn:1.9-0"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
ONE = {"ResourceConfig": {"InstanceCount": 1}}


@pytest.mark.parametrize(
    ("image", "requirements", "instance_type", "stand_in"),
    [
        (TORCH, "numpy\n", "ml.g5.xlarge", "requirements.txt"),
        (TORCH, "torch==2.5.1\n", "ml.g5.xlarge", "requirements.txt"),
        (TORCH, None, "ml.p4d.24xlarge", "the framework's packages"),
        (TORCH, "# torch\ntorchvision\n", "ml.m5.large", "requirements.txt"),
        (TORCH, "numpy\ntorch>=2\n", "ml.m5.large", None),
        (SKLEARN, "Scikit_Learn==1.9.*", "ml.m5.large", None),
        (SKLEARN, None, "ml.m5.large", None),
    ],
)
def test_the_log_names_an_image_or_gpu_that_is_not_there(
    tmp_path, image, requirements, instance_type, stand_in
):
    """One line where the framework is not in the environment or a GPU was asked for; else none."""
    if requirements is not None:
        (tmp_path / "requirements.txt").write_text(requirements)
    program = Images(None).resolve(f"{REGISTRY}/{image}", script=True).training(tmp_path, instance_type)
    expected = f"the image {image} is stood in for by {stand_in} on this machine's CPU"
    assert program.note == (f"localaws: {instance_type}: {expected}" if stand_in else None)


def test_the_xgboost_image_is_an_algorithm_where_no_script_comes_with_it(tmp_path):
    """The same image runs the user's script, or trains by itself with the version of its tag."""
    script = Images(None).resolve(XGBOOST, script=True).training(tmp_path, "ml.m5.large")
    alone = Images(None).resolve(XGBOOST, script=False).training(tmp_path, "ml.m5.large")
    assert (script.entry, alone.entry, alone.arguments) == ("train", "builtin", ("xgboost", "train"))
    assert "xgboost-cpu==3.2.*" in alone.requirements


def test_a_framework_image_without_a_script_is_refused():
    """Only an algorithm trains without one."""
    image = Images(None).resolve(f"{REGISTRY}/{SKLEARN}", script=False)
    with pytest.raises(NotEmulated, match="sagemaker_program"):
        image.check_training(ONE)


def test_an_own_image_runs_the_files_of_its_folder(tmp_path):
    """The last part of the repository names the folder; its requirements.txt is the environment."""
    folder = tmp_path / "iris"
    folder.mkdir()
    (folder / "train").touch()
    (folder / "requirements.txt").write_text("numpy\n")
    image = Images(tmp_path).resolve(f"{OWN}:latest", script=False)
    program = image.training(tmp_path, "ml.m5.large")
    assert (program.arguments, program.requirements) == (["train"], "numpy")
    assert program.variables["LOCALAWS_PROGRAM_FOLDER"] == str(folder)
    image.check_training(ONE)
    with pytest.raises(NotEmulated, match="no file serve"):
        image.check_serving()


@pytest.mark.parametrize("containers", [None, "."])
@pytest.mark.parametrize("uri", [OWN, "docker.io/library/busybox", f"{REGISTRY}/unheard-of:1"])
def test_an_image_that_nothing_stands_for_is_refused_with_those_that_there_are(tmp_path, containers, uri):
    """By name, with the known images and where own ones are looked for."""
    images = Images(tmp_path if containers else None)
    with pytest.raises(NotEmulated, match=r"blazingtext.*own images by|blazingtext.*--containers"):
        images.resolve(uri, script=False)
