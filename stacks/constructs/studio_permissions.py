"""What the roles of Studio and of notebook instances may do besides what their personas may."""

from __future__ import annotations

from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.guardrail_conditions import Place
from stacks.constructs.permission import Permission
from stacks.grants import LOG_ACTIONS
from stacks.permissions import execution

SHARED_PREFIXES = {"data": "team/", "artifacts": "studio/"}
"""What everybody may write to: the team's own folder, and what is shared from Studio."""

ME = "${sagemaker:UserProfileName}"
"""The user in whose name Studio assumes a role; IAM puts it in when it evaluates a policy."""


def workplace(spec: TeamEnvironment, place: Place, key_arn: str) -> list[Permission]:
    """What takes to work anywhere: images, logs, the network, volumes with the key, the team's folders."""
    arns = Arns(spec)
    return [
        *execution(spec, place),
        Permission(
            sid="WriteSharedFolders",
            actions=["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
            resources=[
                f"{arns.bucket('data')}/{SHARED_PREFIXES['data']}*",
                f"{arns.bucket('artifacts')}/{SHARED_PREFIXES['artifacts']}*",
            ],
            because="objects of the team's own folders",
        ),
        Permission(
            sid="LendKeyToSageMaker",
            actions=["kms:CreateGrant"],
            resources=[key_arn],
            # Only for the volumes that SageMaker attaches to apps and jobs.
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        Permission(
            sid="WorkplaceLogs",
            actions=LOG_ACTIONS,
            resources=arns.workplace_logs(),
            because="streams are named when they begin; in Studio, after a domain whose id is random",
        ),
    ]


def notebook_itself(spec: TeamEnvironment) -> list[Permission]:
    """A notebook instance stops itself when it is idle."""
    return [
        Permission(
            sid="StopItself",
            actions=["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
            resources=[Arns(spec).of("sagemaker", "notebook-instance/{}-*")],
            because="every notebook instance of the environment",
        )
    ]


def own_domain(spec: TeamEnvironment, domain_id: str) -> list[Permission]:
    """See the domain; make and remove one's own spaces and their apps, and apps in shared spaces."""
    sagemaker = Arns(spec).of("sagemaker", "")
    app, space = f"{sagemaker}app/{domain_id}/*", f"{sagemaker}space/{domain_id}/*"
    profiles = f"{sagemaker}user-profile/{domain_id}"
    mine = {"ArnLike": {"sagemaker:OwnerUserProfileArn": f"{profiles}/{ME}"}}
    because = "of this domain; what people make in it has names of their own"
    return [
        Permission(
            sid="SeeDomain",
            actions=[
                "sagemaker:DescribeApp",
                "sagemaker:DescribeDomain",
                "sagemaker:DescribeSpace",
                "sagemaker:DescribeUserProfile",
                "sagemaker:ListTags",
            ],
            resources=[f"{sagemaker}domain/{domain_id}", f"{profiles}/*", app, space],
            because=because,
        ),
        Permission(
            sid="SeeWhatAppsStartFrom",
            actions=[
                "sagemaker:DescribeAppImageConfig",
                "sagemaker:DescribeImage",
                "sagemaker:DescribeImageVersion",
                "sagemaker:DescribeStudioLifecycleConfig",
            ],
            resources=[
                Arns(spec).of("sagemaker", f"{kind}/{{}}-*")
                for kind in ("app-image-config", "image", "image-version", "studio-lifecycle-config")
            ],
            because="every image and lifecycle configuration of the environment",
        ),
        Permission(
            sid="OwnSpaces",
            actions=[
                "sagemaker:AddTags",
                "sagemaker:CreateSpace",
                "sagemaker:DeleteSpace",
                "sagemaker:UpdateSpace",
            ],
            resources=[space],
            conditions=mine,
            because=because,
        ),
        Permission(
            sid="AppsOfOwnSpaces",
            actions=["sagemaker:AddTags", "sagemaker:CreateApp", "sagemaker:DeleteApp"],
            resources=[app],
            conditions=mine,
            because=because,
        ),
        Permission(
            sid="AppsOfSharedSpaces",
            actions=["sagemaker:AddTags", "sagemaker:CreateApp", "sagemaker:DeleteApp"],
            resources=[app],
            conditions={"StringEquals": {"sagemaker:SpaceSharingType": "Shared"}},
            because=because,
        ),
    ]
