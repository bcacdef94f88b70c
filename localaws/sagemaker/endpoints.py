"""Endpoints: created, updated without a dropped request, invoked, deleted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from localaws.sagemaker.announce import announce
from localaws.sagemaker.fleet import LOG_GROUP, STARTUP_SECONDS, Fleet, Variant, stream_name
from localaws.sagemaker.model_server import ModelServer, Place, ServerFailed
from localaws.sagemaker.models import (
    IGNORED_IN_CONFIG,
    IGNORED_IN_MODEL,
    IGNORED_IN_VARIANT,
    EndpointConfig,
    Models,
)
from localaws.sagemaker.network import Membership
from localaws.sagemaker.records import (
    BY_NAME_AND_TIME,
    Record,
    Table,
    arn,
    invalid,
    listing,
    now,
    without_effect,
)
from localaws.sagemaker.site import Site
from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation

log = logging.getLogger("localaws.sagemaker")

CREATING, UPDATING, IN_SERVICE = "Creating", "Updating", "InService"
ROLLING_BACK, DELETING, FAILED = "RollingBack", "Deleting", "Failed"
_REASON_CHARS = 1_024
_IN_EVENTS = {
    CREATING: "CREATING",
    UPDATING: "UPDATING",
    IN_SERVICE: "IN_SERVICE",
    ROLLING_BACK: "ROLLING_BACK",
    DELETING: "DELETING",
    FAILED: "FAILED",
}
_RETAINED = {"DesiredWeight": "weight", "DesiredInstanceCount": "count"}


@dataclass
class Endpoint(Record):
    """An endpoint: its state, and the fleet that answers for it."""

    config_name: str = ""
    status: str = CREATING
    failure: str | None = None
    deployment: dict[str, Any] | None = None
    pending: dict[str, Any] | None = None
    fleet: Fleet | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def present_fleet(self) -> Iterator[Fleet | None]:
        """The fleet that answers now; it is not retired before the block is left."""
        with self.lock:
            fleet = self.fleet
            if fleet is not None:
                fleet.enter()
        try:
            yield fleet
        finally:
            if fleet is not None:
                fleet.leave()

    def describe(self) -> Params:
        """As DescribeEndpoint shows it."""
        described: Params = {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointConfigName": self.config_name,
            "EndpointStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }
        if self.fleet is not None:
            described["ProductionVariants"] = [item.describe() for item in self.fleet.variants.values()]
        optional = {
            "FailureReason": self.failure,
            "LastDeploymentConfig": self.deployment,
            "PendingDeploymentSummary": self.pending,
        }
        return {**described, **{key: value for key, value in optional.items() if value is not None}}


class Endpoints(Service):
    """CreateEndpoint, UpdateEndpoint and their kin."""

    name = "sagemaker"

    def __init__(self, site: Site, models: Models) -> None:
        super().__init__(site.world)
        self._site = site
        self._models = models
        self._starting: set[Fleet] = set()
        self.table: Table[Endpoint] = Table(
            missing='Could not find endpoint "{arn}".',
            taken='Cannot create already existing endpoint "{arn}".',
        )

    def stop(self) -> None:
        """End every server process."""
        present = [endpoint.fleet for endpoint in self.table.everywhere() if endpoint.fleet is not None]
        for fleet in {*present, *self._starting}:
            fleet.end(at_once=True)

    def _get(self, call: Call, name: str) -> Endpoint:
        return self.table.get(call, name, arn(call, "endpoint", name))

    def _get_settled(self, call: Call, name: str) -> Endpoint:
        endpoint = self._get(call, name)
        if endpoint.status in (CREATING, UPDATING, ROLLING_BACK, DELETING):
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        return endpoint

    @operation("CreateEndpoint")
    def create(self, call: Call, params: Params) -> Result:
        """Record the endpoint and start its servers."""
        config = self._models.get_config(call, params["EndpointConfigName"])
        name = params["EndpointName"]
        endpoint = Endpoint(call, name, arn(call, "endpoint", name), params, config_name=config.name)
        endpoint.deployment = params.get("DeploymentConfig")
        self.table.add(endpoint)
        self._changed(endpoint)
        self._in_background(self._create, endpoint, config)
        return {"EndpointArn": endpoint.arn}

    @operation("DescribeEndpoint")
    def describe(self, call: Call, params: Params) -> Result:
        """The endpoint in full."""
        return self._get(call, params["EndpointName"]).describe()

    @operation("ListEndpoints")
    def list(self, call: Call, params: Params) -> Result:
        """The endpoints in brief."""
        wanted = params.get("StatusEquals")
        endpoints = [endpoint for endpoint in self.table.all(call) if wanted in (None, endpoint.status)]
        keys = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        return listing(
            endpoints,
            params,
            lambda endpoint: {key: endpoint.describe()[key] for key in keys},
            key="Endpoints",
            orders={**BY_NAME_AND_TIME, "Status": lambda endpoint: endpoint.status},
        )

    @operation("UpdateEndpoint")
    def update(self, call: Call, params: Params) -> Result:
        """Start the new configuration's servers beside the old ones, which answer until those do."""
        endpoint = self._get_settled(call, params["EndpointName"])
        if endpoint.status == FAILED:
            raise invalid(f'Cannot update endpoint "{endpoint.arn}" in status Failed: delete it.')
        config = self._models.get_config(call, params["EndpointConfigName"])
        excluded = {
            item["VariantPropertyType"] for item in params.get("ExcludeRetainedVariantProperties", [])
        }
        retained = set(_RETAINED) - excluded if params.get("RetainAllVariantProperties") else set()
        if not params.get("RetainDeploymentConfig"):
            endpoint.deployment = params.get("DeploymentConfig")
        endpoint.failure = None
        endpoint.pending = {
            "EndpointConfigName": config.name,
            "StartTime": now(),
            "ProductionVariants": [{"VariantName": item["VariantName"]} for item in config.variants],
        }
        self._set(endpoint, UPDATING)
        self._in_background(self._update, endpoint, config, retained)
        return {"EndpointArn": endpoint.arn}

    @operation("UpdateEndpointWeightsAndCapacities")
    def update_weights(self, call: Call, params: Params) -> Result:
        """Change the shares of the requests, and the instance counts that are shown."""
        endpoint = self._get_settled(call, params["EndpointName"])
        wishes = params["DesiredWeightsAndCapacities"]
        variants = endpoint.fleet.variants if endpoint.fleet is not None else {}
        for wish in wishes:
            if wish["VariantName"] not in variants:
                raise invalid(f'Could not find variant "{wish["VariantName"]}" of endpoint "{endpoint.arn}".')
            if "ServerlessUpdateConfig" in wish:
                raise NotEmulated("UpdateEndpointWeightsAndCapacities: ServerlessUpdateConfig")
        self._set(endpoint, UPDATING)
        for wish in wishes:
            variant = variants[wish["VariantName"]]
            variant.weight = wish.get("DesiredWeight", variant.weight)
            variant.count = wish.get("DesiredInstanceCount", variant.count)
        self._set(endpoint, IN_SERVICE)
        return {"EndpointArn": endpoint.arn}

    @operation("DeleteEndpoint")
    def delete(self, call: Call, params: Params) -> Result:
        """End the servers once their requests are answered, and forget the endpoint."""
        endpoint = self._get_settled(call, params["EndpointName"])
        self._set(endpoint, DELETING)
        self._in_background(self._delete, endpoint)
        return None

    # What goes on in the background

    def _in_background(self, work: Any, endpoint: Endpoint, *arguments: Any) -> None:
        name = f"endpoint-{endpoint.name}"
        threading.Thread(target=work, args=(endpoint, *arguments), name=name, daemon=True).start()

    def _create(self, endpoint: Endpoint, config: EndpointConfig) -> None:
        try:
            endpoint.fleet = self._start_fleet(endpoint, config, {})
        except (ServerFailed, AwsError) as error:
            endpoint.failure = str(error)[:_REASON_CHARS]
            self._set(endpoint, FAILED)
        else:
            self._set(endpoint, IN_SERVICE)

    def _update(self, endpoint: Endpoint, config: EndpointConfig, retained: set[str]) -> None:
        old = endpoint.fleet
        kept = {
            variant.name: {field: getattr(variant, field) for field in map(_RETAINED.__getitem__, retained)}
            for variant in (old.variants.values() if old is not None else ())
        }
        try:
            new = self._start_fleet(endpoint, config, kept)
        except (ServerFailed, AwsError) as error:
            endpoint.failure = str(error)[:_REASON_CHARS]
            self._set(endpoint, ROLLING_BACK)
            endpoint.pending = None
            self._set(endpoint, IN_SERVICE)
            return
        with endpoint.lock:
            endpoint.fleet, endpoint.config_name, endpoint.pending = new, config.name, None
        self._set(endpoint, IN_SERVICE)
        if old is not None:
            old.retire()

    def _delete(self, endpoint: Endpoint) -> None:
        with endpoint.lock:
            fleet, endpoint.fleet = endpoint.fleet, None
        if fleet is not None:
            fleet.retire()
        self.table.remove(endpoint)

    def _start_fleet(
        self, endpoint: Endpoint, config: EndpointConfig, kept: dict[str, dict[str, Any]]
    ) -> Fleet:
        fleet = Fleet(config.name, [self._variant(endpoint, config, item, kept) for item in config.variants])
        self._starting.add(fleet)
        try:
            fleet.start()
        except ServerFailed:
            fleet.end(at_once=True)
            raise
        except Exception as error:
            log.exception("endpoint %s", endpoint.name)
            fleet.end(at_once=True)
            raise ServerFailed(f"InternalServerError: {type(error).__name__}: {error}") from error
        finally:
            self._starting.discard(fleet)
        return fleet

    def _variant(
        self,
        endpoint: Endpoint,
        config: EndpointConfig,
        item: dict[str, Any],
        kept: dict[str, dict[str, Any]],
    ) -> Variant:
        name = item["VariantName"]
        model = self._models.get_model(endpoint.call, item["ModelName"])
        where = f"{endpoint.call.account}-{endpoint.call.region}"
        stream = self._site.logs.open(endpoint.call, LOG_GROUP + endpoint.name, stream_name(name))
        place = Place(
            call=endpoint.call,
            variant=name,
            folder=self.world.data / "sagemaker" / "endpoints" / where / endpoint.name / stream.stream,
            log=stream,
            startup_seconds=item.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS),
            instance_type=item["InstanceType"],
        )
        ignored = (
            *without_effect(model.request, IGNORED_IN_MODEL),
            *without_effect(config.request, IGNORED_IN_CONFIG),
            *without_effect(item, IGNORED_IN_VARIANT),
        )
        for line in (*ignored, *_notes(endpoint, item)):
            stream.write(line)
        values = {
            "weight": item.get("InitialVariantWeight", 1.0),
            "count": item["InitialInstanceCount"],
            **kept.get(name, {}),
        }
        server = ModelServer(self._site, place)
        membership = Membership(
            self.world,
            endpoint.call,
            model.request.get("VpcConfig", {}),
            f"[Do not delete] Network Interface of SageMaker endpoint {endpoint.name}",
        )
        served = self._models.served(endpoint.call, model.container)
        return Variant(name, served, server, membership, **values)

    def _set(self, endpoint: Endpoint, status: str) -> None:
        endpoint.status = status
        endpoint.modified = now()
        self._changed(endpoint)

    def _changed(self, endpoint: Endpoint) -> None:
        detail = {**endpoint.describe(), "EndpointStatus": _IN_EVENTS[endpoint.status]}
        announce(self.world, endpoint, "Endpoint", detail)


def _notes(endpoint: Endpoint, item: dict[str, Any]) -> Iterator[str]:
    """What is asked for and done in another way."""
    if item["InitialInstanceCount"] > 1:
        yield f"localaws: {item['InitialInstanceCount']} instances are one process"
    deployment = endpoint.deployment or {}
    policy = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    if policy.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE" or "RollingUpdatePolicy" in deployment:
        yield "localaws: an update moves all requests at once, whatever the DeploymentConfig asks for"
    if "AutoRollbackConfiguration" in deployment:
        yield "localaws: the alarms of AutoRollbackConfiguration are not watched"
