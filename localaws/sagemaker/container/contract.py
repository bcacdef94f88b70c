"""What a training script finds in its container: its arguments and the SM_* variables.

The rules are those of AWS's training toolkit. Standard library only: this runs in the job's own environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

RESERVED = ("sagemaker_", "_tuning_objective_metric")
"""Hyperparameters whose names begin so are meant for the launcher, not for the script."""
PARAMETER_SERVER = "sagemaker_parameter_server_enabled"
MPI = "sagemaker_mpi_enabled"
TORCHRUN = "sagemaker_torch_distributed_enabled"
LAUNCHERS = (PARAMETER_SERVER, MPI, TORCHRUN)
"""The hyperparameters that say what starts the script; the first of them that is set counts."""


def decode_hyperparameters(raw: Mapping[str, str]) -> dict[str, Any]:
    """The values as Python objects: each is JSON if it parses as JSON, else the string itself."""
    return {key: _decode(value) for key, value in raw.items()}


def _decode(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def to_arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """The command-line arguments: sorted by key, `--key value`, `-k value` for a one-letter key."""
    arguments: list[str] = []
    for key in sorted(hyperparameters):
        dashes = "" if not key else "-" if len(key) == 1 else "--"
        arguments += [dashes + key, _argument(hyperparameters[key])]
    return arguments


def _argument(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)


def to_variables(mapping: Mapping[str, Any]) -> dict[str, str]:
    """`SM_<KEY>` for each key; a value that is no string becomes compact JSON."""
    return {f"SM_{key.upper()}": _variable(value) for key, value in mapping.items()}


def _variable(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Machine:
    """What the script may use of the machine it runs on."""

    cpus: int
    gpus: int


@dataclass(frozen=True)
class Job:
    """A training job as its container sees it: what lies in `<base>/input/config`, read."""

    base: PurePosixPath
    hyperparameters: dict[str, Any]
    resources: dict[str, Any]
    inputs: dict[str, Any]
    framework_module: str

    @classmethod
    def read(cls, base: Path, framework_module: str) -> Job:
        """Read the three files of the contract under `base`."""
        config = base / "input" / "config"

        def load(name: str) -> dict[str, Any]:
            content: dict[str, Any] = json.loads((config / f"{name}.json").read_text(encoding="utf-8"))
            return content

        return cls(
            base=PurePosixPath(base),
            hyperparameters=decode_hyperparameters(load("hyperparameters")),
            resources=load("resourceconfig"),
            inputs=load("inputdataconfig"),
            framework_module=framework_module,
        )

    @property
    def program(self) -> str:
        """The file to run, relative to the code folder."""
        return str(self.hyperparameters["sagemaker_program"])

    @property
    def code(self) -> PurePosixPath:
        """The folder that the submitted archive was unpacked into."""
        return self.base / "code"

    @property
    def hosts(self) -> list[str]:
        """The names of all hosts, the first one's first."""
        return list(self.resources["hosts"])

    @property
    def host(self) -> str:
        """The name of this host."""
        return str(self.resources["current_host"])

    @property
    def interface(self) -> str:
        """The network interface on which the hosts meet."""
        return str(self.resources["network_interface_name"])

    @property
    def launcher(self) -> str | None:
        """What starts the script, one of LAUNCHERS; None where each host starts it by itself."""
        return next((name for name in LAUNCHERS if self.hyperparameters.get(name)), None)

    def user_hyperparameters(self) -> dict[str, Any]:
        """The hyperparameters that are the script's own."""
        return {key: value for key, value in self.hyperparameters.items() if not key.startswith(RESERVED)}

    def arguments(self) -> list[str]:
        """The script's command-line arguments."""
        return to_arguments(self.user_hyperparameters())

    def variables(self, machine: Machine) -> dict[str, str]:
        """Every variable that the script sees beside the job's own Environment."""
        values = {**self._values(), "num_cpus": machine.cpus, "num_gpus": machine.gpus, "num_neurons": 0}
        values["training_env"] = self._training_env(values)
        channels = {f"channel_{name}": path for name, path in self._channel_paths().items()}
        hyperparameters = {f"hp_{key}": value for key, value in self.user_hyperparameters().items()}
        return {**to_variables({**values, **channels, **hyperparameters}), "PYTHONUNBUFFERED": "1"}

    def _channel_paths(self) -> dict[str, str]:
        return {name: str(self.base / "input" / "data" / name) for name in sorted(self.inputs)}

    def _values(self) -> dict[str, Any]:
        group = self.resources["current_group_name"]
        groups = {item["instance_group_name"]: item for item in self.resources["instance_groups"]}
        output = self.base / "output"
        framework = {key: value for key, value in self.hyperparameters.items() if key.startswith(RESERVED)}
        return {
            "hosts": self.resources["hosts"],
            "current_host": self.resources["current_host"],
            "current_instance_type": self.resources["current_instance_type"],
            "current_instance_group": group,
            "current_instance_group_hosts": groups[group]["hosts"],
            "instance_groups": list(groups),
            "instance_groups_dict": groups,
            "distribution_instance_groups": [],
            "is_hetero": False,
            "network_interface_name": self.resources["network_interface_name"],
            "hps": self.user_hyperparameters(),
            "user_args": self.arguments(),
            "user_entry_point": self.program,
            "module_name": self.program.removesuffix(".py"),
            "module_dir": self.hyperparameters.get("sagemaker_submit_directory", str(self.code)),
            "framework_module": self.framework_module,
            "framework_params": framework,
            "resource_config": self.resources,
            "input_data_config": self.inputs,
            "channels": sorted(self.inputs),
            "input_dir": str(self.base / "input"),
            "input_config_dir": str(self.base / "input" / "config"),
            "model_dir": str(self.base / "model"),
            "output_dir": str(output),
            "output_data_dir": str(output / "data"),
            "output_intermediate_dir": str(output / "intermediate"),
            "log_level": self.hyperparameters.get("sagemaker_container_log_level", 20),
        }

    def _training_env(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same facts once more as one object, under the toolkit's own names."""
        renamed = {
            "hps": "hyperparameters",
            "framework_params": "additional_framework_parameters",
            "channels": None,
            "user_args": None,
        }
        plain = {renamed.get(key, key): value for key, value in values.items() if renamed.get(key, key)}
        return {
            **{str(key): value for key, value in plain.items()},
            "channel_input_dirs": self._channel_paths(),
            "is_master": self.resources["current_host"] == self.resources["hosts"][0],
            "job_name": self.hyperparameters.get("sagemaker_job_name", ""),
            "master_hostname": self.resources["hosts"][0],
        }
