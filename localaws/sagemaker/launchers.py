"""Distributed training: which launchers there are, in whose images, and what they need beside the script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from localaws.sagemaker.container.contract import LAUNCHERS, MPI, decode_hyperparameters
from localaws.sagemaker.environments import names_in
from localaws.sagemaker.frameworks import FRAMEWORKS, Framework
from localaws.service import NotEmulated

if TYPE_CHECKING:
    from localaws.sagemaker.images import Program

_MPI_PACKAGES = {"openmpi": "5.0.11", "mpi4py": "4.1.2"}
"""Open MPI with its mpirun, and what the toolkit runs Python scripts by; both need nothing of the system."""
_MODEL_PARALLEL = "mp_parameters"


def check(framework: Framework, hyperparameters: Mapping[str, str]) -> None:
    """Raise NotEmulated where the script is to be started by what is not here, or not in this image."""
    values = decode_hyperparameters(hyperparameters)
    for name in values:
        asked = name.startswith("sagemaker_") and name.endswith("_enabled") and values[name]
        if (asked and name not in LAUNCHERS) or name == _MODEL_PARALLEL:
            raise NotEmulated(
                f"CreateTrainingJob: distributed training by {name} (there are {', '.join(LAUNCHERS)})"
            )
        if asked and name not in framework.launchers:
            knowing = sorted({item.name for item in FRAMEWORKS.values() if name in item.launchers})
            raise NotEmulated(
                f"CreateTrainingJob: {name} with the image of {framework.name}, which knows nothing of it "
                f"and starts the script on each instance by itself (it is for {', '.join(knowing)}),"
            )


def equip(program: Program, hyperparameters: Mapping[str, str]) -> Program:
    """The program with what its launcher needs in its environment; a version that the job names stays."""
    if not decode_hyperparameters(hyperparameters).get(MPI):
        return program
    named = names_in(program.requirements)
    added = [f"{name}=={version}" for name, version in _MPI_PACKAGES.items() if name not in named]
    return replace(program, requirements="\n".join([program.requirements, *added]))
