"""Scripts that Studio runs when an app starts: kept and described, not run."""

from __future__ import annotations

import base64
import binascii

from localaws.sagemaker.records import BY_NAME_AND_TIME, Record, arn, invalid, listing
from localaws.sagemaker.studio import rules
from localaws.sagemaker.studio.catalog import Catalog, refuse_dependents
from localaws.service import Call, Params, Result, Service, operation

_BRIEF = ("StudioLifecycleConfigName", "StudioLifecycleConfigAppType")
BY_NAME_AND_TIMES = {**BY_NAME_AND_TIME, "LastModifiedTime": lambda record: record.modified}


def check_script(where: str, content: str) -> None:
    """Raise AwsError unless a script's content is base64."""
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise invalid(f"{where} must be base64 encoded.") from error


class LifecycleConfigs(Service):
    """CreateStudioLifecycleConfig and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _get(self, call: Call, params: Params) -> Record:
        key = params["StudioLifecycleConfigName"].lower()
        found: Record = self._catalog.lifecycle_configs.get(
            call, key, arn(call, "studio-lifecycle-config", key)
        )
        return found

    @operation("CreateStudioLifecycleConfig")
    def create(self, call: Call, params: Params) -> Result:
        """Keep a script."""
        check_script("StudioLifecycleConfigContent", params["StudioLifecycleConfigContent"])
        key = params["StudioLifecycleConfigName"].lower()
        config = Record(call, key, arn(call, "studio-lifecycle-config", key), params)
        self._catalog.lifecycle_configs.add(config)
        return {"StudioLifecycleConfigArn": config.arn}

    @operation("DescribeStudioLifecycleConfig")
    def describe(self, call: Call, params: Params) -> Result:
        """The script, and what it is for."""
        found = self._get(call, params)
        content = found.request["StudioLifecycleConfigContent"]
        return {**_brief(found), "StudioLifecycleConfigContent": content}

    @operation("ListStudioLifecycleConfigs")
    def list(self, call: Call, params: Params) -> Result:
        """The scripts in brief."""
        kind = params.get("AppTypeEquals")
        found = [
            config
            for config in self._catalog.lifecycle_configs.all(call)
            if kind in (None, config.request["StudioLifecycleConfigAppType"])
        ]
        return listing(found, params, _brief, key="StudioLifecycleConfigs", orders=BY_NAME_AND_TIMES)

    @operation("DeleteStudioLifecycleConfig")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a script that no settings name and no running app uses."""
        with self._catalog.lock:
            found = self._get(call, params)
            refuse_dependents(
                "delete",
                f"StudioLifecycleConfig [{found.arn}]",
                rules.users_of(self._catalog, call, found.arn),
            )
            self._catalog.lifecycle_configs.remove(found)
        return None


def _brief(config: Record) -> Params:
    return {
        "StudioLifecycleConfigArn": config.arn,
        **{key: config.request[key] for key in _BRIEF},
        "CreationTime": config.created,
        "LastModifiedTime": config.modified,
    }
