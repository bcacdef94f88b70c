"""How the images of a team run as Studio apps."""

from __future__ import annotations

from localaws.sagemaker.records import Record, arn, invalid, listing, now
from localaws.sagemaker.studio.catalog import Catalog
from localaws.sagemaker.studio.lifecycle_configs import BY_NAME_AND_TIMES
from localaws.service import Call, Params, Result, Service, operation

_KINDS = ("KernelGatewayImageConfig", "JupyterLabAppImageConfig", "CodeEditorAppImageConfig")


class AppImageConfigs(Service):
    """CreateAppImageConfig and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _get(self, call: Call, params: Params) -> Record:
        key = params["AppImageConfigName"].lower()
        found: Record = self._catalog.app_image_configs.get(call, key, arn(call, "app-image-config", key))
        return found

    @operation("CreateAppImageConfig")
    def create(self, call: Call, params: Params) -> Result:
        """Record a configuration."""
        _check_one(params)
        key = params["AppImageConfigName"].lower()
        config = Record(call, key, arn(call, "app-image-config", key), params)
        self._catalog.app_image_configs.add(config)
        return {"AppImageConfigArn": config.arn}

    @operation("DescribeAppImageConfig")
    def describe(self, call: Call, params: Params) -> Result:
        """The configuration in full."""
        return _describe(self._get(call, params))

    @operation("ListAppImageConfigs")
    def list(self, call: Call, params: Params) -> Result:
        """The configurations."""
        found = self._catalog.app_image_configs.all(call)
        return listing(found, params, _describe, key="AppImageConfigs", orders=BY_NAME_AND_TIMES)

    @operation("UpdateAppImageConfig")
    def update(self, call: Call, params: Params) -> Result:
        """Put another configuration in place."""
        _check_one(params)
        found = self._get(call, params)
        kept = {key: value for key, value in found.request.items() if key not in _KINDS}
        found.request = {**kept, **params}
        found.modified = now()
        return {"AppImageConfigArn": found.arn}

    @operation("DeleteAppImageConfig")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a configuration, whoever names it, as on AWS."""
        self._catalog.app_image_configs.remove(self._get(call, params))
        return None


def _check_one(params: Params) -> None:
    if len([kind for kind in _KINDS if kind in params]) > 1:
        raise invalid(f"An AppImageConfig can hold only one of {', '.join(_KINDS)}.")


def _describe(config: Record) -> Params:
    kinds = {kind: config.request[kind] for kind in _KINDS if kind in config.request}
    return {
        "AppImageConfigArn": config.arn,
        "AppImageConfigName": config.request["AppImageConfigName"],
        "CreationTime": config.created,
        "LastModifiedTime": config.modified,
        **kinds,
    }
