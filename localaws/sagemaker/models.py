"""Models and endpoint configurations: records that an endpoint is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localaws.sagemaker import s3
from localaws.sagemaker.images import Image
from localaws.sagemaker.network import WITHOUT_TRAFFIC, check_vpc
from localaws.sagemaker.packages import ModelPackages
from localaws.sagemaker.records import BY_NAME_AND_TIME, Record, Table, arn, invalid, listing
from localaws.sagemaker.roles import check_role
from localaws.sagemaker.site import Site
from localaws.service import Call, NotEmulated, Params, Result, Service, operation

_CONTAINER = {
    "ContainerHostname",
    "Image",
    "ImageConfig",
    "Mode",
    "ModelDataUrl",
    "Environment",
    "ModelPackageName",
    "InferenceSpecificationName",
}
_MODEL = {
    "ModelName",
    "PrimaryContainer",
    "Containers",
    "ExecutionRoleArn",
    "Tags",
    "VpcConfig",
    "EnableNetworkIsolation",
}
_CONFIG = {"EndpointConfigName", "ProductionVariants", "Tags", "KmsKeyId", "DataCaptureConfig"}
IGNORED_IN_MODEL = {
    "VpcConfig": WITHOUT_TRAFFIC,
    "EnableNetworkIsolation": "the model keeps the machine's network",
}
IGNORED_IN_CONFIG = {"KmsKeyId": "the data lie on this machine's disk"}
IGNORED_IN_VARIANT = {
    "VolumeSizeInGB": "there is no volume",
    "ModelDataDownloadTimeoutInSeconds": "the download takes as long as it takes",
    "RoutingConfig": "one process answers",
    "InferenceAmiVersion": "there is no instance",
}
"""Fields that are taken without effect; the endpoint's log names them."""

_VARIANT = {
    "VariantName",
    "ModelName",
    "InitialInstanceCount",
    "InstanceType",
    "InitialVariantWeight",
    "ContainerStartupHealthCheckTimeoutInSeconds",
} | IGNORED_IN_VARIANT.keys()


class Model(Record):
    """A model: one container."""

    @property
    def container(self) -> dict[str, Any]:
        """The container as it was asked for."""
        definition: dict[str, Any] = self.request.get("PrimaryContainer") or self.request["Containers"][0]
        return definition


class EndpointConfig(Record):
    """An endpoint configuration: the variants."""

    @property
    def variants(self) -> list[dict[str, Any]]:
        """The production variants as they were asked for."""
        variants: list[dict[str, Any]] = self.request["ProductionVariants"]
        return variants


@dataclass(frozen=True)
class Served:
    """What a model's container runs: image, model archive, environment variables."""

    image: Image
    model_data: str | None
    environment: dict[str, str]


class Models(Service):
    """CreateModel, CreateEndpointConfig and their kin."""

    name = "sagemaker"

    def __init__(self, site: Site, packages: ModelPackages) -> None:
        super().__init__(site.world)
        self._images = site.images
        self._packages = packages
        self.models: Table[Model] = Table(
            missing='Could not find model "{arn}".', taken='Cannot create already existing model "{arn}".'
        )
        self.configs: Table[EndpointConfig] = Table(
            missing='Could not find endpoint configuration "{arn}".',
            taken='Cannot create already existing endpoint configuration "{arn}".',
        )

    def served(self, call: Call, container: dict[str, Any]) -> Served:
        """What a container definition comes to, through the model package that it may name.

        Raises:
            AwsError: the package does not exist.
            NotEmulated: the image is none that can run here.
        """
        definition = container
        if package := container.get("ModelPackageName"):
            definition = self._packages.inference_container(call, package)
        environment = {**definition.get("Environment", {}), **container.get("Environment", {})}
        if "Image" not in definition:
            raise invalid("A container must name an Image or a ModelPackageName.")
        image = self._images.resolve(definition["Image"], script="SAGEMAKER_PROGRAM" in environment)
        image.check_serving()
        return Served(image, definition.get("ModelDataUrl"), environment)

    def get_model(self, call: Call, name: str) -> Model:
        """The model; raises AwsError where there is none."""
        return self.models.get(call, name, arn(call, "model", name))

    def get_config(self, call: Call, name: str) -> EndpointConfig:
        """The endpoint configuration; raises AwsError where there is none."""
        return self.configs.get(call, name, arn(call, "endpoint-config", name))

    @operation("CreateModel")
    def create_model(self, call: Call, params: Params) -> Result:
        """Record a model whose data exist."""
        for field in _unknown_in_model(params):
            raise NotEmulated(f"CreateModel: {field}")
        name = params["ModelName"]
        model = Model(call, name, arn(call, "model", name), params)
        if "ExecutionRoleArn" in params:
            check_role(self.world, call, params["ExecutionRoleArn"])
        check_vpc(self.world, call, params.get("VpcConfig", {}))
        served = self.served(call, model.container)
        if served.model_data is not None:
            self._check_model_data(call, served.model_data)
        self.models.add(model)
        return {"ModelArn": model.arn}

    def _check_model_data(self, call: Call, uri: str) -> None:
        try:
            found = s3.exists(self.world.client("s3", call.account, call.region), s3.Location.parse(uri))
        except s3.S3Problem as problem:
            raise invalid(str(problem)) from problem
        if not found:
            raise invalid(f"Could not find model data at {uri}.")

    @operation("DescribeModel")
    def describe_model(self, call: Call, params: Params) -> Result:
        """The model in full."""
        model = self.get_model(call, params["ModelName"])
        shown = {key: value for key, value in model.request.items() if key != "Tags"}
        return {
            "EnableNetworkIsolation": False,
            **shown,
            "ModelArn": model.arn,
            "CreationTime": model.created,
        }

    @operation("ListModels")
    def list_models(self, call: Call, params: Params) -> Result:
        """The models in brief."""
        return listing(
            self.models.all(call),
            params,
            lambda model: {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created},
            key="Models",
            orders=BY_NAME_AND_TIME,
        )

    @operation("DeleteModel")
    def delete_model(self, call: Call, params: Params) -> Result:
        """Forget the model; what serves it goes on, as on AWS."""
        self.models.remove(self.get_model(call, params["ModelName"]))
        return None

    @operation("CreateEndpointConfig")
    def create_config(self, call: Call, params: Params) -> Result:
        """Record a configuration whose models exist."""
        for field in _unknown_in_config(params):
            raise NotEmulated(f"CreateEndpointConfig: {field}")
        variants = params["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise invalid(
                f"Variant names must be unique within an endpoint configuration: {', '.join(names)}"
            )
        for variant in variants:
            self.get_model(call, variant["ModelName"])
        if not any(variant.get("InitialVariantWeight", 1.0) for variant in variants):
            raise invalid("At least one production variant must have a weight greater than 0.")
        name = params["EndpointConfigName"]
        config = EndpointConfig(call, name, arn(call, "endpoint-config", name), params)
        self.configs.add(config)
        return {"EndpointConfigArn": config.arn}

    @operation("DescribeEndpointConfig")
    def describe_config(self, call: Call, params: Params) -> Result:
        """The configuration in full."""
        config = self.get_config(call, params["EndpointConfigName"])
        shown = {key: value for key, value in config.request.items() if key != "Tags"}
        return {**shown, "EndpointConfigArn": config.arn, "CreationTime": config.created}

    @operation("ListEndpointConfigs")
    def list_configs(self, call: Call, params: Params) -> Result:
        """The configurations in brief."""
        return listing(
            self.configs.all(call),
            params,
            lambda config: {
                "EndpointConfigName": config.name,
                "EndpointConfigArn": config.arn,
                "CreationTime": config.created,
            },
            key="EndpointConfigs",
            orders=BY_NAME_AND_TIME,
        )

    @operation("DeleteEndpointConfig")
    def delete_config(self, call: Call, params: Params) -> Result:
        """Forget the configuration; AWS, too, does not refuse while an endpoint uses it."""
        self.configs.remove(self.get_config(call, params["EndpointConfigName"]))
        return None


def _unknown_in_model(params: Params) -> Iterator[str]:
    yield from params.keys() - _MODEL
    containers = params.get("Containers", [])
    if ("PrimaryContainer" in params) == bool(containers):
        raise invalid("You must provide either PrimaryContainer or Containers, and not both.")
    if len(containers) > 1:
        yield f"an inference pipeline of {len(containers)} Containers"
    container = params.get("PrimaryContainer") or containers[0]
    yield from (f"container field {name}" for name in container.keys() - _CONTAINER)
    if container.get("Mode", "SingleModel") != "SingleModel":
        yield f"container Mode {container['Mode']}"


def _unknown_in_config(params: Params) -> Iterator[str]:
    yield from params.keys() - _CONFIG
    if params.get("DataCaptureConfig", {}).get("EnableCapture"):
        yield "DataCaptureConfig.EnableCapture"
    for variant in params["ProductionVariants"]:
        place = f"variant {variant['VariantName']}"
        yield from (f"{place}: {name}" for name in variant.keys() - _VARIANT)
        for required in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if required not in variant:
                yield f"{place}: a variant without {required}"
