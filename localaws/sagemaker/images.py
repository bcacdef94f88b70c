"""What an image URI stands for: which framework runs the user's script, and what the image brings.

The managed images are told by their repository's name; everything else would need a container engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.service import NotEmulated

_URI = re.compile(r"[^/]+\.dkr\.ecr\.[^/]+/(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?(@.*)?")
_VERSION = re.compile(r"\d+\.\d+")
_ACCELERATED = re.compile(r"ml\.(g|p|inf|trn)\d")
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9._-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Framework:
    """A family of managed images in script mode."""

    name: str
    training_module: str
    packages: tuple[str, ...]
    """What the image has, as pip requirements; `{version}` is the tag's major.minor."""


@dataclass(frozen=True)
class Image:
    """One managed image."""

    uri: str
    framework: Framework
    version: str

    @property
    def requirements(self) -> str:
        """What stands for the image's own packages where the code brings no requirements.txt."""
        return "\n".join(package.format(version=self.version) for package in self.framework.packages)

    def stood_in_for(self, requirements: str | None, instance_type: str) -> str | None:
        """A line for the log where the code runs in something else than it would on AWS.

        Args:
            requirements: what the code's requirements.txt asks for; None where there is none.
            instance_type: such as ml.g5.xlarge.

        Returns:
            None for a CPU instance whose environment has the image's framework.
        """
        asked = self.requirements if requirements is None else requirements
        names = {_normal(name) for name in _REQUIREMENT.findall(asked)}
        main = self.framework.packages[0].partition("==")[0]
        if main in names and not _ACCELERATED.match(instance_type):
            return None
        place = "on this machine's CPU"
        stand_in = "the framework's packages" if requirements is None else "requirements.txt"
        image = self.uri.partition("/")[2]
        return f"localaws: {instance_type}: the image {image} is stood in for by {stand_in} {place}"


def _normal(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


_SKLEARN = Framework(
    "scikit-learn",
    "sagemaker_sklearn_container.training:main",
    ("scikit-learn=={version}.*", "pandas", "joblib"),
)
_PYTORCH = Framework("pytorch", "sagemaker_pytorch_container.training:main", ("torch=={version}.*", "numpy"))
_TENSORFLOW = Framework(
    "tensorflow", "sagemaker_tensorflow_container.training:main", ("tensorflow=={version}.*",)
)
_HUGGINGFACE = Framework(
    "huggingface", "sagemaker_pytorch_container.training:main", ("transformers", "torch=={version}.*")
)
_XGBOOST = Framework(
    "xgboost",
    "sagemaker_xgboost_container.training:main",
    ("xgboost=={version}.*", "scikit-learn", "pandas"),
)
_MXNET = Framework("mxnet", "sagemaker_mxnet_container.training:main", ("mxnet=={version}.*",))

_REPOSITORIES = {
    "sagemaker-scikit-learn": _SKLEARN,
    "sagemaker-xgboost": _XGBOOST,
    "pytorch": _PYTORCH,
    "pytorch-training": _PYTORCH,
    "pytorch-inference": _PYTORCH,
    "tensorflow-training": _TENSORFLOW,
    "tensorflow-inference": _TENSORFLOW,
    "huggingface-pytorch-training": _HUGGINGFACE,
    "huggingface-pytorch-inference": _HUGGINGFACE,
    "mxnet-training": _MXNET,
    "mxnet-inference": _MXNET,
}


def resolve(uri: str) -> Image:
    """The managed image that a URI names.

    Raises:
        NotEmulated: a built-in algorithm, or an image of one's own.
    """
    match = _URI.fullmatch(uri)
    framework = _REPOSITORIES.get(match["repository"]) if match else None
    if match is None or framework is None:
        known = ", ".join(_REPOSITORIES)
        raise NotEmulated(f"the image {uri} (scripts run in the managed images {known})")
    version = _VERSION.match(match["tag"] or "")
    return Image(uri, framework, version[0] if version else "")
