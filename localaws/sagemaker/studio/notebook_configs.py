"""Scripts that a notebook instance runs when it is made and started: kept and described, not run."""

from __future__ import annotations

from localaws.sagemaker.records import Record, arn, invalid, listing, now
from localaws.sagemaker.studio.catalog import Catalog
from localaws.sagemaker.studio.lifecycle_configs import BY_NAME_AND_TIMES, check_script
from localaws.service import Call, Params, Result, Service, operation

_NAME = "NotebookInstanceLifecycleConfigName"
_HOOKS = ("OnCreate", "OnStart")


class NotebookConfigs(Service):
    """CreateNotebookInstanceLifecycleConfig and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _get(self, call: Call, params: Params) -> Record:
        key = params[_NAME].lower()
        place = arn(call, "notebook-instance-lifecycle-config", key)
        found: Record = self._catalog.notebook_configs.get(call, key, place)
        return found

    @operation("CreateNotebookInstanceLifecycleConfig")
    def create(self, call: Call, params: Params) -> Result:
        """Keep the scripts."""
        _check_scripts(params)
        key = params[_NAME].lower()
        made = Record(call, key, arn(call, "notebook-instance-lifecycle-config", key), params)
        self._catalog.notebook_configs.add(made)
        return {"NotebookInstanceLifecycleConfigArn": made.arn}

    @operation("DescribeNotebookInstanceLifecycleConfig")
    def describe(self, call: Call, params: Params) -> Result:
        """The scripts."""
        found = self._get(call, params)
        return {**_brief(found), **{hook: found.request.get(hook, []) for hook in _HOOKS}}

    @operation("ListNotebookInstanceLifecycleConfigs")
    def list(self, call: Call, params: Params) -> Result:
        """The configurations in brief."""
        found = self._catalog.notebook_configs.all(call)
        return listing(
            found, params, _brief, key="NotebookInstanceLifecycleConfigs", orders=BY_NAME_AND_TIMES
        )

    @operation("UpdateNotebookInstanceLifecycleConfig")
    def update(self, call: Call, params: Params) -> Result:
        """Put other scripts in place; instances run them at their next start."""
        _check_scripts(params)
        found = self._get(call, params)
        found.request = {**found.request, **{hook: params.get(hook, []) for hook in _HOOKS}}
        found.modified = now()
        return {}

    @operation("DeleteNotebookInstanceLifecycleConfig")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget scripts that no notebook instance names."""
        with self._catalog.lock:
            found = self._get(call, params)
            users = [
                notebook.label
                for notebook in self._catalog.notebooks.all(call)
                if notebook.request.get("LifecycleConfigName", "").lower() == found.name
            ]
            if users:
                raise invalid(
                    f"Unable to delete Notebook Instance Lifecycle Config '{found.arn}'. (Details: Notebook "
                    f"Instance Lifecycle Config is in use by Notebook Instance(s) {', '.join(users)}.)"
                )
            self._catalog.notebook_configs.remove(found)
        return None


def _check_scripts(params: Params) -> None:
    for hook in _HOOKS:
        for script in params.get(hook, []):
            if "Content" in script:
                check_script(f"{hook} Content", script["Content"])


def _brief(config: Record) -> Params:
    return {
        _NAME: config.request[_NAME],
        "NotebookInstanceLifecycleConfigArn": config.arn,
        "CreationTime": config.created,
        "LastModifiedTime": config.modified,
    }
