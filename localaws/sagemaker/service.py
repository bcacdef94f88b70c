"""SageMaker: every operation it answers, and by name those it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.utils import get_service_model

from localaws.sagemaker.constraints import check
from localaws.sagemaker.differences import DIFFERENCES
from localaws.sagemaker.endpoints import Endpoints
from localaws.sagemaker.models import Models
from localaws.sagemaker.packages import ModelPackages
from localaws.sagemaker.processing import ProcessingJobs
from localaws.sagemaker.records import Table
from localaws.sagemaker.runtime import SageMakerRuntime
from localaws.sagemaker.site import Site
from localaws.sagemaker.studio.service import Studio
from localaws.sagemaker.tags import Tags, check_tags
from localaws.sagemaker.training import TrainingJobs
from localaws.sagemaker.transform import TransformJobs
from localaws.sagemaker.tuning import TuningJobs
from localaws.service import Call, Handler, Params, Refusal, Result, Service
from localaws.world import World

# Nothing but what is created here exists, so that moto's answers of "none" and "not found" are true.
_LEFT_TO_MOTO = ("List", "Describe", "Delete")


class SageMaker(Service):
    """The control plane: training jobs, models, endpoints, the model registry, Studio, their tags."""

    name = "sagemaker"
    differences = DIFFERENCES

    def __init__(self, world: World) -> None:
        super().__init__(world)
        site = Site.of(world)
        self._logs = site.logs
        jobs = TrainingJobs(site)
        processing = ProcessingJobs(site)
        tuning = TuningJobs(world, jobs)
        packages = ModelPackages(world)
        models = Models(site, packages)
        self.endpoints = Endpoints(site, models)
        transforms = TransformJobs(site, models)
        studio = Studio(world)
        tables: tuple[Table[Any], ...] = (
            jobs.table,
            processing.table,
            transforms.table,
            tuning.table,
            models.models,
            models.configs,
            self.endpoints.table,
            packages.groups,
            packages.packages,
            *studio.tables,
        )
        self._parts: list[Service] = [
            jobs,
            processing,
            transforms,
            tuning,
            models,
            self.endpoints,
            packages,
            studio,
            Tags(world, tables),
        ]

    def runtime(self) -> SageMakerRuntime:
        """The data plane of this control plane's endpoints."""
        return SageMakerRuntime(self.world, self.endpoints)

    def start(self) -> None:
        """Logs flow from now on."""
        self._logs.start()

    def stop(self) -> None:
        """End every process and timer."""
        for part in self._parts:
            part.stop()
        self._logs.stop()

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """Every operation of the API: answered, refused by name, or left to moto."""
        model: Any = get_service_model(self.name)
        answered = {name: handler for part in self._parts for name, handler in part.operations()}
        for name in model.operation_names:
            if name in answered:
                yield name, _checked(answered[name], model.operation_model(name).input_shape)
            elif not name.startswith(_LEFT_TO_MOTO):
                yield name, Refusal(f"SageMaker's {name}")


def _checked(handler: Handler, shape: Any) -> Handler:
    def answer(call: Call, params: Params) -> Result:
        check(params, shape)
        check_tags(params.get("Tags", []))
        return handler(call, params)

    return answer
