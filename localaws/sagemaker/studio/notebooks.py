"""Notebook instances: started, stopped, changed and deleted as their status allows. Nothing runs in them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from moto.core.exceptions import ServiceException

from localaws.ec2 import attach_interface, detach_interface
from localaws.sagemaker.announce import announce
from localaws.sagemaker.records import BY_NAME_AND_TIME, arn, invalid, listing
from localaws.sagemaker.roles import check_role
from localaws.sagemaker.studio.catalog import (
    DELETING,
    FAILED,
    IN_SERVICE,
    PENDING,
    UPDATING,
    Catalog,
    Staged,
)
from localaws.sagemaker.studio.network import check_places
from localaws.service import AwsError, Call, Params, Result, Service, operation

STOPPING, STOPPED = "Stopping", "Stopped"
_DEFAULTS = {
    "DirectInternetAccess": "Enabled",
    "RootAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "PlatformIdentifier": "notebook-al2023-v1",
    "IpAddressType": "ipv4",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}
_SHOWN = (
    *_DEFAULTS,
    "InstanceType",
    "SubnetId",
    "RoleArn",
    "KmsKeyId",
    "DefaultCodeRepository",
    "AdditionalCodeRepositories",
)
_RENAMED = {
    "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
    "SecurityGroupIds": "SecurityGroups",
}
_IN_BRIEF = (
    "NotebookInstanceName",
    "NotebookInstanceArn",
    "NotebookInstanceStatus",
    "Url",
    "InstanceType",
    "CreationTime",
    "LastModifiedTime",
    "NotebookInstanceLifecycleConfigName",
    "DefaultCodeRepository",
    "AdditionalCodeRepositories",
)
_UPDATED = (
    "InstanceType",
    "IpAddressType",
    "PlatformIdentifier",
    "RoleArn",
    "LifecycleConfigName",
    "VolumeSizeInGB",
    "DefaultCodeRepository",
    "AdditionalCodeRepositories",
    "RootAccess",
    "InstanceMetadataServiceConfiguration",
)
_DROPPED = {
    "DisassociateLifecycleConfig": "LifecycleConfigName",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
}


@dataclass
class Notebook(Staged):
    """A notebook instance; its interface stands in the subnet until it is deleted."""

    interface: str | None = None
    host: str = ""

    def describe(self) -> Params:
        """As DescribeNotebookInstance shows it."""
        request, times = self.request, self.times()
        status = times.pop("Status")
        described: Params = {
            **times,
            **{name: request[name] for name in _SHOWN if name in request},
            **{shown: request[name] for name, shown in _RENAMED.items() if name in request},
            "NotebookInstanceName": self.label,
            "NotebookInstanceArn": self.arn,
            "NotebookInstanceStatus": status,
            "Url": self.host,
        }
        return {**described, "NetworkInterfaceId": self.interface} if self.interface else described


class Notebooks(Service):
    """CreateNotebookInstance and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _get(self, call: Call, params: Params) -> Notebook:
        name = params["NotebookInstanceName"].lower()
        notebook: Notebook = self._catalog.notebooks.get(call, name, arn(call, "notebook-instance", name))
        return notebook

    @operation("CreateNotebookInstance")
    def create(self, call: Call, params: Params) -> Result:
        """Record the instance, put its interface into the subnet, and start it."""
        request = {**_DEFAULTS, **params}
        self._check(call, request)
        if "SubnetId" in request:
            groups = request.get("SecurityGroupIds", [])
            check_places(self.world, call, [request["SubnetId"]], groups, None)
        label = params["NotebookInstanceName"]
        name = label.lower()
        host = f"{name}-{secrets.token_hex(2)}.notebook.{call.region}.sagemaker.aws"
        place = arn(call, "notebook-instance", name)
        notebook = Notebook(call, name, place, request, label=label, host=host)
        with self._catalog.lock:
            self._catalog.notebooks.add(notebook)
        self._changed(notebook)
        if self._attach(notebook):
            self._catalog.later(
                self._catalog.takes.notebook_start, lambda each: self._enter(each, IN_SERVICE), notebook
            )
        return {"NotebookInstanceArn": notebook.arn}

    def _check(self, call: Call, request: Params) -> None:
        """Raise AwsError for an instance that AWS would refuse, made or updated."""
        check_role(self.world, call, request["RoleArn"])
        if request.get("AcceleratorTypes"):
            raise invalid(
                "AcceleratorTypes: Elastic Inference is no longer available. Leave it out and take an "
                "instance type with a GPU."
            )
        if request["PlatformIdentifier"] == "notebook-al1-v1":
            raise invalid(
                "PlatformIdentifier notebook-al1-v1 is no longer supported. Use notebook-al2023-v1."
            )
        if request["DirectInternetAccess"] == "Disabled" and "SubnetId" not in request:
            raise invalid("DirectInternetAccess can be Disabled only if a SubnetId is set.")
        if request.get("SecurityGroupIds") and "SubnetId" not in request:
            raise invalid("SecurityGroupIds can be set only with a SubnetId.")
        if name := request.get("LifecycleConfigName"):
            place = arn(call, "notebook-instance-lifecycle-config", name.lower())
            self._catalog.notebook_configs.get(call, name.lower(), place)
        default = request.get("DefaultCodeRepository")
        for name in [*([default] if default else []), *request.get("AdditionalCodeRepositories", [])]:
            if not name.startswith("https://"):
                place = arn(call, "code-repository", name.lower())
                self._catalog.code_repositories.get(call, name.lower(), place)

    def _attach(self, notebook: Notebook) -> bool:
        """Put the interface into the subnet; whether the instance has what it needs."""
        request = notebook.request
        if "SubnetId" not in request:
            return True
        try:
            notebook.interface = attach_interface(
                self.world,
                notebook.call.account,
                notebook.call.region,
                subnet_id=request["SubnetId"],
                group_ids=request.get("SecurityGroupIds", []),
                description="[Do not delete] Network Interface created to access resources in your VPC for "
                f"SageMaker Notebook Instance {notebook.label}",
            )
        except (AwsError, ServiceException) as error:
            self._enter(notebook, FAILED, str(error))
            return False
        return True

    @operation("DescribeNotebookInstance")
    def describe(self, call: Call, params: Params) -> Result:
        """The instance in full."""
        return self._get(call, params).describe()

    @operation("ListNotebookInstances")
    def list(self, call: Call, params: Params) -> Result:
        """The instances in brief."""
        found = [notebook for notebook in self._catalog.notebooks.all(call) if _wanted(notebook, params)]
        return listing(
            found,
            params,
            lambda notebook: {key: value for key, value in notebook.describe().items() if key in _IN_BRIEF},
            key="NotebookInstances",
            orders={**BY_NAME_AND_TIME, "Status": lambda notebook: notebook.status},
        )

    @operation("StartNotebookInstance")
    def begin(self, call: Call, params: Params) -> Result:
        """Start a stopped instance."""
        self._move(call, params, (STOPPED, FAILED), PENDING, self._catalog.takes.notebook_start, IN_SERVICE)
        return None

    @operation("StopNotebookInstance")
    def end(self, call: Call, params: Params) -> Result:
        """Stop an instance; volume and interface stay."""
        self._move(call, params, (IN_SERVICE,), STOPPING, self._catalog.takes.notebook_stop, STOPPED)
        return None

    @operation("UpdateNotebookInstance")
    def update(self, call: Call, params: Params) -> Result:
        """Change a stopped instance."""
        notebook = self._get(call, params)
        dropped = {name for flag, name in _DROPPED.items() if params.get(flag)}
        request = {key: value for key, value in notebook.request.items() if key not in dropped}
        request |= {name: params[name] for name in _UPDATED if name in params}
        self._check(call, {**request, "AcceleratorTypes": params.get("AcceleratorTypes")})
        old, new = notebook.request["VolumeSizeInGB"], request["VolumeSizeInGB"]
        if new < old:
            raise invalid(f"VolumeSizeInGB cannot be decreased from {old} to {new}.")
        takes = self._catalog.takes.notebook_update
        with self._catalog.lock:
            self._move(call, params, (STOPPED, FAILED), UPDATING, takes, STOPPED)
            notebook.request = request
        return {}

    @operation("DeleteNotebookInstance")
    def delete(self, call: Call, params: Params) -> Result:
        """Delete a stopped instance, its volume and its interface."""
        with self._catalog.lock:
            notebook = self._get(call, params)
            _refuse(notebook, (FAILED, STOPPED), DELETING)
            self._enter(notebook, DELETING)
        self._catalog.later(self._catalog.takes.notebook_deletion, self._gone, notebook)
        return None

    def _gone(self, notebook: Notebook) -> None:
        if notebook.interface is not None:
            call = notebook.call
            detach_interface(self.world, call.account, call.region, notebook.interface)
        self._catalog.notebooks.remove(notebook)

    @operation("CreatePresignedNotebookInstanceUrl")
    def create_url(self, call: Call, params: Params) -> Result:
        """A URL for the instance; no notebook answers there, as its path says."""
        notebook = self._get(call, params)
        if notebook.status != IN_SERVICE:
            raise invalid(f"Notebook Instance ({notebook.arn}) is {notebook.status}, and not InService.")
        path = f"notebooks-are-not-emulated/{notebook.name}?authToken={secrets.token_urlsafe()}"
        return {"AuthorizedUrl": f"{self.world.endpoint}/{path}"}

    def _move(
        self, call: Call, params: Params, allowed: tuple[str, ...], through: str, seconds: float, to: str
    ) -> None:
        with self._catalog.lock:
            notebook = self._get(call, params)
            _refuse(notebook, allowed, through)
            self._enter(notebook, through)
        self._catalog.later(seconds, lambda each: self._enter(each, to), notebook)

    def _enter(self, notebook: Notebook, status: str, failure: str | None = None) -> None:
        notebook.enter(status, failure)
        self._changed(notebook)

    def _changed(self, notebook: Notebook) -> None:
        announce(self.world, notebook, "Notebook Instance", notebook.describe())


def _refuse(notebook: Notebook, allowed: tuple[str, ...], to: str) -> None:
    if notebook.status not in allowed:
        raise invalid(
            f"Status ({notebook.status}) not in ([{', '.join(allowed)}]). Unable to transition to ({to}) for "
            f"Notebook Instance ({notebook.arn})."
        )


def _wanted(notebook: Notebook, params: Params) -> bool:
    """Whether the filters of ListNotebookInstances let it through."""
    request = notebook.request
    return (
        params.get("StatusEquals") in (None, notebook.status)
        and params.get("NotebookInstanceLifecycleConfigNameContains", "").lower()
        in request.get("LifecycleConfigName", "").lower()
        and params.get("DefaultCodeRepositoryContains", "") in request.get("DefaultCodeRepository", "")
        and (
            "AdditionalCodeRepositoryEquals" not in params
            or params["AdditionalCodeRepositoryEquals"] in request.get("AdditionalCodeRepositories", [])
        )
    )
