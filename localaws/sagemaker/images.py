"""What an image URI stands for: a table from the image's repository to what runs here in its place.

- A managed framework image runs the user's script.
- A built-in algorithm runs our own program over its open-source equivalent (`container/algorithms`).
- A team's own image runs its files, `<containers>/<name>/train` and `serve`, without being built.

Each is a `Program` in a Python environment; everything else would need a container engine.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localaws.sagemaker import launchers
from localaws.sagemaker.environments import names_in, requirements_in
from localaws.sagemaker.frameworks import ALGORITHMS, FRAMEWORKS, Algorithm, Framework
from localaws.service import NotEmulated, Params

_URI = re.compile(r"[^/]+\.dkr\.ecr\.[^/]+/(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?(@.*)?")
_VERSION = re.compile(r"\d+\.\d+")
_ACCELERATED = re.compile(r"ml\.(g|p|inf|trn)\d")
_CPU = "on this machine's CPU"


@dataclass(frozen=True)
class Program:
    """What runs in a container: an entry of `container/`, in the environment of some requirements."""

    entry: str
    requirements: str
    arguments: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    """A line for the log where this is something else than what runs on AWS."""
    names_family: bool = False
    """Whether `output/failure` begins with the family of the error, as AWS's own algorithms write it."""


@dataclass(frozen=True)
class Image(ABC):
    """One image."""

    uri: str

    @property
    def metric_definitions(self) -> Sequence[Mapping[str, str]]:
        """The metrics that SageMaker finds in the log without being told how."""
        return ()

    @abstractmethod
    def check_training(self, params: Params) -> None:
        """Raise NotEmulated where a CreateTrainingJob request asks of this image what is not done here."""

    @abstractmethod
    def check_serving(self) -> None:
        """Raise NotEmulated where this image does not serve."""

    @abstractmethod
    def training(self, code: Path, instance_type: str) -> Program:
        """What a training job runs; `code` is the folder that the submitted archive was unpacked into."""

    @abstractmethod
    def serving(self, code: Path, instance_type: str) -> Program:
        """What a model's server runs; `code` is the folder of its inference code, which may not exist."""

    @abstractmethod
    def processing(self, command: Sequence[str], instance_type: str) -> Program:
        """What a processing job runs: `command` in this image."""


@dataclass(frozen=True)
class FrameworkImage(Image):
    """A managed image in script mode."""

    framework: Framework
    version: str

    @property
    def requirements(self) -> str:
        """What stands for the image's own packages where the code brings no requirements.txt."""
        return "\n".join(package.format(version=self.version) for package in self.framework.packages)

    def check_training(self, params: Params) -> None:
        """Refuse a job without a script, and launchers that are not there."""
        hyperparameters = params.get("HyperParameters", {})
        if "sagemaker_program" not in hyperparameters:
            raise NotEmulated(
                f"CreateTrainingJob: {self.uri} without a script (it is named by the hyperparameters "
                "sagemaker_program and sagemaker_submit_directory)"
            )
        launchers.check(self.framework, hyperparameters)

    def check_serving(self) -> None:
        """It serves."""

    def training(self, code: Path, instance_type: str) -> Program:
        """The script, in the environment of its requirements.txt."""
        requirements = requirements_in(code)
        module = self.framework.training_module
        return Program(
            "train",
            self.requirements if requirements is None else requirements,
            variables={"SAGEMAKER_TRAINING_MODULE": module},
            note=self._stood_in_for(requirements, instance_type),
        )

    def serving(self, code: Path, instance_type: str) -> Program:
        """The inference script, or the framework's defaults."""
        requirements = requirements_in(code)
        return Program(
            "serve",
            self.requirements if requirements is None else requirements,
            variables={"LOCALAWS_FRAMEWORK": self.framework.name},
            note=self._stood_in_for(requirements, instance_type),
        )

    def processing(self, command: Sequence[str], instance_type: str) -> Program:
        """The command, among the framework's packages."""
        note = self._stood_in_for(None, instance_type)
        return Program("execute", self.requirements, command, note=note)

    def _stood_in_for(self, requirements: str | None, instance_type: str) -> str | None:
        """None for a CPU instance whose environment has the image's framework."""
        asked = self.requirements if requirements is None else requirements
        main = self.framework.packages[0].partition("==")[0]
        if main in names_in(asked) and not _ACCELERATED.match(instance_type):
            return None
        stand_in = "the framework's packages" if requirements is None else "requirements.txt"
        return _note(self.uri, instance_type, f"{stand_in} {_CPU}")


@dataclass(frozen=True)
class AlgorithmImage(Image):
    """A built-in algorithm."""

    algorithm: Algorithm
    version: str

    @property
    def metric_definitions(self) -> Sequence[Mapping[str, str]]:
        """Those of the algorithm."""
        return [{"Name": name, "Regex": regex} for name, regex in self.algorithm.metrics]

    @property
    def requirements(self) -> str:
        """The pinned packages of our program."""
        return "\n".join(package.format(version=self.version) for package in self.algorithm.packages)

    def check_training(self, params: Params) -> None:
        """Refuse more than one instance."""
        count = params["ResourceConfig"].get("InstanceCount", 1)
        if count > 1:
            raise NotEmulated(f"CreateTrainingJob: {self.algorithm.name} on {count} instances")

    def check_serving(self) -> None:
        """It serves."""

    def training(self, code: Path, instance_type: str) -> Program:
        """Our program."""
        return self._program("train", instance_type)

    def serving(self, code: Path, instance_type: str) -> Program:
        """Our program."""
        return self._program("serve", instance_type)

    def _program(self, action: str, instance_type: str) -> Program:
        note = _note(self.uri, instance_type, f"{self.algorithm.packages[0].partition('==')[0]} {_CPU}")
        arguments = (self.algorithm.name, action)
        return Program("builtin", self.requirements, arguments, note=note, names_family=True)

    def processing(self, command: Sequence[str], instance_type: str) -> Program:
        """Refuse: there is no telling what the image holds beside the algorithm."""
        raise NotEmulated(f"CreateProcessingJob: the image {self.uri}, a built-in algorithm")


@dataclass(frozen=True)
class OwnImage(Image):
    """An image of the team's own, by the files that it is built from."""

    folder: Path

    def check_training(self, params: Params) -> None:
        """Refuse where there is no file `train`."""
        self._check("train")

    def check_serving(self) -> None:
        """Refuse where there is no file `serve`."""
        self._check("serve")

    def _check(self, name: str) -> None:
        if not (self.folder / name).is_file():
            raise NotEmulated(f"the image {self.uri}, whose folder {self.folder} holds no file {name},")

    def training(self, code: Path, instance_type: str) -> Program:
        """The file `train`."""
        return self._program(["train"], instance_type)

    def serving(self, code: Path, instance_type: str) -> Program:
        """The file `serve`."""
        return self._program(["serve"], instance_type)

    def processing(self, command: Sequence[str], instance_type: str) -> Program:
        """The command, in the image's folder."""
        return self._program(command, instance_type)

    def _program(self, command: Sequence[str], instance_type: str) -> Program:
        # As in the image, whose PATH and working directory are the folder that the files are copied to.
        variables = {"LOCALAWS_PROGRAM_FOLDER": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        note = _note(self.uri, instance_type, f"its files in {self.folder.name}/, without being built")
        requirements = requirements_in(self.folder) or ""
        return Program("execute", requirements, command, variables, note)


class Images:
    """The images that can run here."""

    def __init__(self, containers: Path | None) -> None:
        """`containers` is the folder of own images, if there is one."""
        self._containers = containers

    def resolve(self, uri: str, *, script: bool) -> Image:
        """The image that a URI names.

        Args:
            uri: of a managed image or of one in a repository of one's own.
            script: whether the request brings a script; the XGBoost image is an algorithm where it does not.

        Raises:
            NotEmulated: there is nothing here that can stand for the image.
        """
        match = _URI.fullmatch(uri)
        repository = match["repository"] if match else ""
        version = _VERSION.match(match["tag"] or "") if match else None
        number = version[0] if version else ""
        if repository in ALGORITHMS and not (script and repository in FRAMEWORKS):
            return AlgorithmImage(uri, ALGORITHMS[repository], number)
        if repository in FRAMEWORKS:
            return FrameworkImage(uri, FRAMEWORKS[repository], number)
        folder = self._own(repository)
        if folder is None:
            known = ", ".join({**FRAMEWORKS, **ALGORITHMS})
            own = (
                f"own images by their files below {self._containers}" if self._containers else "--containers"
            )
            raise NotEmulated(f"the image {uri} (there are {known}; {own})")
        return OwnImage(uri, folder)

    def _own(self, repository: str) -> Path | None:
        name = repository.rpartition("/")[2]
        if self._containers is None or not name:
            return None
        folder = self._containers / name
        return folder if folder.is_dir() else None


def _note(uri: str, instance_type: str, stand_in: str) -> str:
    image = uri.partition("/")[2]
    return f"localaws: {instance_type}: the image {image} is stood in for by {stand_in}"
