"""The model registry: groups of model packages, their versions and approvals."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localaws.sagemaker.announce import announce
from localaws.sagemaker.records import BY_NAME_AND_TIME, Record, Table, arn, invalid, listing, now
from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation
from localaws.world import World

_CREATED_BY = {"UserProfileName": "embedded"}
_REFUSED = (
    "ModelPackageName",
    "CertifyForMarketplace",
    "ValidationSpecification",
    "ManagedStorageType",
)
_CHANGEABLE = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)


@dataclass
class Group(Record):
    """A model package group."""

    latest: int = 0
    policy: str | None = None


@dataclass
class Package(Record):
    """One version of a model; `request` holds what can be described, updates included."""

    version: int = 0
    changed: bool = field(default=False)

    @property
    def group(self) -> str:
        """The name of its group."""
        return self.name.partition("/")[0]

    def describe(self) -> Params:
        """As DescribeModelPackage shows it."""
        shown = {key: value for key, value in self.request.items() if key not in ("Tags", "ClientToken")}
        described: Params = {
            **shown,
            "ModelPackageName": self.name,
            "ModelPackageGroupName": self.group,
            "ModelPackageVersion": self.version,
            "ModelPackageArn": self.arn,
            "CreationTime": self.created,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreatedBy": dict(_CREATED_BY),
        }
        if self.changed:
            described |= {"LastModifiedTime": self.modified, "LastModifiedBy": dict(_CREATED_BY)}
        return described


class ModelPackages(Service):
    """CreateModelPackageGroup, CreateModelPackage and their kin."""

    name = "sagemaker"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.groups: Table[Group] = Table(
            missing="ModelPackageGroup {arn} does not exist.",
            taken="Model Package Group already exists: {arn}",
        )
        self.packages: Table[Package] = Table(
            missing="ModelPackage {arn} does not exist.", taken="Model Package already exists: {arn}"
        )
        self._tokens: dict[tuple[Call, str], str] = {}

    def inference_container(self, call: Call, name: str) -> dict[str, Any]:
        """The first container of a package's inference specification."""
        package = self._package(call, name)
        containers = package.request.get("InferenceSpecification", {}).get("Containers", [])
        if not containers:
            raise invalid(f"ModelPackage {package.arn} has no InferenceSpecification to serve from.")
        container: dict[str, Any] = containers[0]
        return container

    def _group(self, call: Call, name_or_arn: str) -> Group:
        name = name_or_arn.rpartition("/")[2]
        wanted = arn(call, "model-package-group", name)
        _check_place(name_or_arn, wanted)
        return self.groups.get(call, name, wanted)

    def _package(self, call: Call, name_or_arn: str) -> Package:
        match = re.search(r"([^/:]+/\d+)$", name_or_arn)
        name = match[1] if match else name_or_arn
        wanted = arn(call, "model-package", name)
        _check_place(name_or_arn, wanted)
        return self.packages.get(call, name, wanted)

    def _announce(self, package: Package, **more: Any) -> None:
        detail = {key: _iso(value) for key, value in {**package.describe(), **more}.items()}
        announce(self.world, package, "Model Package", detail)

    @operation("CreateModelPackageGroup")
    def create_group(self, call: Call, params: Params) -> Result:
        """Record a group."""
        if "ManagedConfiguration" in params:
            raise NotEmulated("CreateModelPackageGroup: ManagedConfiguration")
        name = params["ModelPackageGroupName"]
        group = Group(call, name, arn(call, "model-package-group", name), params)
        self.groups.add(group)
        return {"ModelPackageGroupArn": group.arn}

    @operation("DescribeModelPackageGroup")
    def describe_group(self, call: Call, params: Params) -> Result:
        """The group in full."""
        group = self._group(call, params["ModelPackageGroupName"])
        return {**_describe_group(group), "CreatedBy": dict(_CREATED_BY)}

    @operation("ListModelPackageGroups")
    def list_groups(self, call: Call, params: Params) -> Result:
        """The groups in brief."""
        return listing(
            self.groups.all(call),
            params,
            _describe_group,
            key="ModelPackageGroupSummaryList",
            orders=BY_NAME_AND_TIME,
        )

    @operation("DeleteModelPackageGroup")
    def delete_group(self, call: Call, params: Params) -> Result:
        """Forget a group that holds no package."""
        group = self._group(call, params["ModelPackageGroupName"])
        held = [package for package in self.packages.all(call) if package.group == group.name]
        if held:
            raise AwsError(
                "ConflictException",
                f"Model Package Group {group.arn} cannot be deleted because it still contains "
                f"{len(held)} Model Packages.",
            )
        self.groups.remove(group)
        return None

    @operation("PutModelPackageGroupPolicy")
    def put_policy(self, call: Call, params: Params) -> Result:
        """Attach a resource policy; it is kept, and nothing evaluates it."""
        group = self._group(call, params["ModelPackageGroupName"])
        group.policy = params["ResourcePolicy"]
        return {"ModelPackageGroupArn": group.arn}

    @operation("GetModelPackageGroupPolicy")
    def get_policy(self, call: Call, params: Params) -> Result:
        """The resource policy."""
        group = self._group(call, params["ModelPackageGroupName"])
        if group.policy is None:
            raise invalid(f"Cannot find resource policy for: {group.arn}")
        return {"ResourcePolicy": group.policy}

    @operation("DeleteModelPackageGroupPolicy")
    def delete_policy(self, call: Call, params: Params) -> Result:
        """Detach the resource policy."""
        self._group(call, params["ModelPackageGroupName"]).policy = None
        return None

    @operation("CreateModelPackage")
    def create(self, call: Call, params: Params) -> Result:
        """Record the next version in a group."""
        for name in _REFUSED:
            if params.get(name):
                raise NotEmulated(f"CreateModelPackage: {name}")
        if "ModelPackageGroupName" not in params:
            raise invalid("A ModelPackageGroupName is required: model packages are versions in a group.")
        token = (call, params.get("ClientToken", ""))
        if token[1] and token in self._tokens:
            return {"ModelPackageArn": self._tokens[token]}
        group = self._group(call, params["ModelPackageGroupName"])
        group.latest += 1
        name = f"{group.name}/{group.latest}"
        request = {"ModelApprovalStatus": "PendingManualApproval", **params}
        package = Package(call, name, arn(call, "model-package", name), request, version=group.latest)
        self.packages.add(package)
        self._tokens[token] = package.arn
        self._announce(package)
        return {"ModelPackageArn": package.arn}

    @operation("DescribeModelPackage")
    def describe(self, call: Call, params: Params) -> Result:
        """The version in full."""
        return self._package(call, params["ModelPackageName"]).describe()

    @operation("ListModelPackages")
    def list(self, call: Call, params: Params) -> Result:
        """The versions in brief; without a group, AWS lists packages that have no versions: none here."""
        packages = self.packages.all(call)
        if "ModelPackageGroupName" in params:
            group = self._group(call, params["ModelPackageGroupName"])
            packages = [package for package in packages if package.group == group.name]
        elif params.get("ModelPackageType", "Unversioned") == "Unversioned":
            packages = []
        if approval := params.get("ModelApprovalStatus"):
            packages = [package for package in packages if package.request["ModelApprovalStatus"] == approval]
        orders = {**BY_NAME_AND_TIME, "Name": lambda package: (package.group, package.version)}
        return listing(packages, params, _summary, key="ModelPackageSummaryList", orders=orders)

    @operation("UpdateModelPackage")
    def update(self, call: Call, params: Params) -> Result:
        """Change approval, description, metadata."""
        package = self._package(call, params["ModelPackageArn"])
        changes = {key: params[key] for key in _CHANGEABLE if key in params}
        added, removed = (
            params.get("CustomerMetadataProperties"),
            params.get("CustomerMetadataPropertiesToRemove"),
        )
        if added or removed:
            properties = {**package.request.get("CustomerMetadataProperties", {}), **(added or {})}
            for key in removed or []:
                properties.pop(key, None)
            changes["CustomerMetadataProperties"] = properties
        if more := params.get("AdditionalInferenceSpecificationsToAdd"):
            present = package.request.get("AdditionalInferenceSpecifications", [])
            changes["AdditionalInferenceSpecifications"] = [*present, *more]
        if not changes:
            raise invalid("UpdateModelPackage names nothing to update.")
        package.request = {**package.request, **changes}
        package.modified, package.changed = now(), True
        self._announce(package, UpdatedModelPackageFields=sorted(changes))
        return {"ModelPackageArn": package.arn}

    @operation("DeleteModelPackage")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a version; its number is not used again."""
        package = self._package(call, params["ModelPackageName"])
        self.packages.remove(package)
        self._announce(package, ModelPackageStatus="Deleting")
        return None


def _check_place(name_or_arn: str, wanted: str) -> None:
    if name_or_arn.startswith("arn:") and name_or_arn != wanted:
        raise invalid(
            f"{name_or_arn} is not in the caller's account and region, or of another kind: {wanted}"
        )


def _describe_group(group: Group) -> Params:
    described = {
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        "CreationTime": group.created,
        "ModelPackageGroupStatus": "Completed",
    }
    if description := group.request.get("ModelPackageGroupDescription"):
        described["ModelPackageGroupDescription"] = description
    return described


def _summary(package: Package) -> Params:
    described = package.describe()
    keys = (
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageArn",
        "ModelPackageDescription",
        "CreationTime",
        "ModelPackageStatus",
        "ModelApprovalStatus",
        "ModelLifeCycle",
        "ModelPackageRegistrationType",
    )
    return {key: described[key] for key in keys if key in described}


def _iso(value: Any) -> Any:
    """The registry's events, unlike the others, write times as ISO 8601."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value
