"""Resource types of Amazon SageMaker notebook instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.cloudformation.resources._common import Api, Props, differ
from localaws.cloudformation.resources._sagemaker import Kept, is_missing

_NAME_LENGTH = 63
_DISSOCIATED = {
    "LifecycleConfigName": "DisassociateLifecycleConfig",
    "DefaultCodeRepository": "DisassociateDefaultCodeRepository",
    "AdditionalCodeRepositories": "DisassociateAdditionalCodeRepositories",
}


class _Notebookish(Kept):
    """A kind whose name the template may leave to CloudFormation; `Ref` is its ARN."""

    by_arn = True

    def request(self, context: Context, props: Props) -> dict[str, Any]:
        """With a name."""
        (name,) = self.identifiers
        return {name: context.generated_name(_NAME_LENGTH), **super().request(context, props)}


class NotebookInstance(_Notebookish):
    """A notebook instance: stopped to be changed, and started again where it ran."""

    type_name = "AWS::SageMaker::NotebookInstance"
    replaces = frozenset(
        {
            "DirectInternetAccess",
            "KmsKeyId",
            "NotebookInstanceName",
            "PlatformIdentifier",
            "SecurityGroupIds",
            "SubnetId",
        }
    )
    properties = replaces | {
        *_DISSOCIATED,
        "InstanceMetadataServiceConfiguration",
        "InstanceType",
        "RoleArn",
        "RootAccess",
        "Tags",
        "VolumeSizeInGB",
    }
    kind, arn, identifiers = "notebook_instance", "NotebookInstanceArn", ("NotebookInstanceName",)
    attributes = ("NotebookInstanceArn", "NotebookInstanceName")
    status = "NotebookInstanceStatus"

    def settled(self, context: Context, physical_id: str, *good: str) -> Created:
        """An instance that somebody has stopped is settled too."""
        return super().settled(context, physical_id, *(good or ("InService", "Stopped")))

    def change(self, context: Context, physical_id: str, old: Props, new: Props) -> None:
        """Stop the instance if it runs, change it, start it again if it ran."""
        ran = self._stop(context, physical_id)
        dropped = {flag: True for name, flag in _DISSOCIATED.items() if old.get(name) and not new.get(name)}
        changed = {name: new[name] for name in new if name not in self.replaces and differ(old, new, name)}
        changed.pop("Tags", None)
        names = self.names(physical_id)
        sagemaker = Api(context, "sagemaker")
        sagemaker("update_notebook_instance", **names, **changed, **dropped)
        self.settled(context, physical_id, "Stopped")
        if ran:
            sagemaker("start_notebook_instance", **names)

    def delete(self, context: Context, physical_id: str, props: Props) -> None:
        """Stop the instance if it runs, then delete it."""
        try:
            self._stop(context, physical_id)
        except ClientError as error:
            if not is_missing(error):
                raise
            return
        super().delete(context, physical_id, props)

    def _stop(self, context: Context, physical_id: str) -> bool:
        """Stop the instance; whether it ran. One that failed is neither running nor stopped."""
        self.settled(context, physical_id, "InService", "Stopped", "Failed")
        if self.describe(context, physical_id)[self.status] != "InService":
            return False
        Api(context, "sagemaker")("stop_notebook_instance", **self.names(physical_id))
        self.settled(context, physical_id, "Stopped")
        return True


class NotebookInstanceLifecycleConfig(_Notebookish):
    """Scripts for the creation and the start of notebook instances."""

    type_name = "AWS::SageMaker::NotebookInstanceLifecycleConfig"
    replaces = frozenset({"NotebookInstanceLifecycleConfigName"})
    properties = replaces | {"OnCreate", "OnStart", "Tags"}
    kind, arn = "notebook_instance_lifecycle_config", "NotebookInstanceLifecycleConfigArn"
    identifiers = ("NotebookInstanceLifecycleConfigName",)
    attributes = ("NotebookInstanceLifecycleConfigArn", "NotebookInstanceLifecycleConfigName")


class CodeRepository(_Notebookish):
    """A Git repository: its secret changes in place, its URL and branch do not."""

    type_name = "AWS::SageMaker::CodeRepository"
    replaces = frozenset({"CodeRepositoryName"})
    properties = replaces | {"GitConfig", "Tags"}
    kind, arn, identifiers = "code_repository", "CodeRepositoryArn", ("CodeRepositoryName",)
    attributes = ("CodeRepositoryArn", "CodeRepositoryName")

    def replaced_by(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Another URL or branch is another repository."""
        if name != "GitConfig":
            return super().replaced_by(name, old, new)
        was, wanted = old["GitConfig"], new["GitConfig"]
        return not isinstance(wanted, Mapping) or differ(was, wanted, "RepositoryUrl", "Branch")

    def change(self, context: Context, physical_id: str, old: Props, new: Props) -> None:
        """Tell the secret."""
        secret = {"SecretArn": new["GitConfig"].get("SecretArn")}
        Api(context, "sagemaker")("update_code_repository", **self.names(physical_id), GitConfig=secret)


TYPES: tuple[type[ResourceType], ...] = (NotebookInstance, NotebookInstanceLifecycleConfig, CodeRepository)
