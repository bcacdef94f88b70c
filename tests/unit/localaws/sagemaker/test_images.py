"""What the log says of an image that does not run as it would on AWS."""

from __future__ import annotations

import pytest

from localaws.sagemaker.images import resolve

REGISTRY = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
TORCH = "pytorch-training:2.5.1-gpu"
SKLEARN = "sagemaker-scikit-learn:1.9-0"


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
def test_the_log_names_an_image_or_gpu_that_is_not_there(image, requirements, instance_type, stand_in):
    """One line where the framework is not in the environment or a GPU was asked for; else none."""
    line = resolve(f"{REGISTRY}/{image}").stood_in_for(requirements, instance_type)
    expected = f"the image {image} is stood in for by {stand_in} on this machine's CPU"
    assert line == (f"localaws: {instance_type}: {expected}" if stand_in else None)
