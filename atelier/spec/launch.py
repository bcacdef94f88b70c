"""How AWS's toolkit in the framework containers is told to start a script on several instances and GPUs."""

from __future__ import annotations

from atelier.spec import instances
from atelier.spec.jobs import Distribution, Job

FRAMEWORKS: dict[Distribution, tuple[str, ...]] = {
    "torchrun": ("pytorch", "huggingface"),
    "mpi": ("pytorch", "tensorflow", "mxnet"),
    "parameter_server": ("tensorflow", "mxnet"),
}
"""Which framework's container knows which way."""
MOST = 2
"""How many hyperparameters `hyperparameters` gives at most."""


def hyperparameters(job: Job, instance_type: str) -> dict[str, bool | int | str]:
    """The hyperparameters that start the script as the job's `distribution` says; none without one."""
    match job.distribution:
        case "torchrun":
            # The toolkit starts one process a GPU by itself.
            return {
                "sagemaker_torch_distributed_enabled": True,
                "sagemaker_instance_type": instance_type,
            }
        case "mpi":
            return {
                "sagemaker_mpi_enabled": True,
                "sagemaker_mpi_num_of_processes_per_host": max(1, instances.gpus(instance_type)),
            }
        case "parameter_server":
            return {"sagemaker_parameter_server_enabled": True}
        case None:
            return {}
