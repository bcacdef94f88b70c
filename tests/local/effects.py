"""What has come of a change of the team file, as AWS's services answer; and what must be there before it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.whole import DATA, NOTEBOOK, SHARED, WORK, Whole, wait


def a_third_zone(whole: Whole) -> None:
    """Jobs, endpoints of AWS's services, Studio and its home folders reach into the new zone."""
    ec2, domain = whole.client("ec2"), whole.domain
    of_vpc = [{"Name": "vpc-id", "Values": [domain["VpcId"]]}]
    private = {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for subnet in ec2.describe_subnets(Filters=of_vpc)["Subnets"]
        if any(tag["Value"].startswith("research-dev private") for tag in subnet["Tags"])
    }
    assert len(set(private.values())) == len(private) == 3
    assert set(domain["SubnetIds"]) == set(private)
    targets = whole.client("efs").describe_mount_targets(FileSystemId=domain["HomeEfsFileSystemId"])
    assert {target["SubnetId"] for target in targets["MountTargets"]} == set(private)
    for endpoint in ec2.describe_vpc_endpoints(Filters=of_vpc)["VpcEndpoints"]:
        assert endpoint["VpcEndpointType"] == "Gateway" or set(endpoint["SubnetIds"]) == set(private)
    machine = _machine(whole, "research-dev-train-curve")
    assert all(subnet in machine for subnet in private)


def one_more_name(whole: Whole) -> None:
    """The DNS firewall resolves it as well, and what it did before."""
    resolver = whole.client("route53resolver")
    listed = {
        name.rstrip(".")
        for one in resolver.list_firewall_domain_lists()["FirewallDomainLists"]
        for name in resolver.list_firewall_domains(FirewallDomainListId=one["Id"])["Domains"]
    }
    assert {"huggingface.co", "pypi.org", "*.eu-west-1.amazonaws.com"} <= listed


def no_flow_logs(whole: Whole) -> None:
    """Nobody records traffic any more, and what was recorded is gone."""
    assert not whole.client("ec2").describe_flow_logs()["FlowLogs"]
    assert not whole.client("logs").describe_log_groups(logGroupNamePrefix="/aws/vpc/research-dev")[
        "logGroups"
    ]


def another_budget(whole: Whole) -> None:
    """The limit and what is told at which percentage; the stop at the limit is still there, once."""
    budgets, account = whole.client("budgets"), whole.spec.account
    [budget] = budgets.describe_budgets(AccountId=account)["Budgets"]
    assert float(budget["BudgetLimit"]["Amount"]) == 2500
    about = {"AccountId": account, "BudgetName": budget["BudgetName"]}
    alerts = budgets.describe_notifications_for_budget(**about)["Notifications"]
    assert {alert["Threshold"] for alert in alerts} == {60, 90}
    [action] = budgets.describe_budget_actions_for_budget(**about)["Actions"]
    assert action["ActionThreshold"]["ActionThresholdValue"] == 100


def somebody_works(whole: Whole) -> None:
    """Whoever is about to leave has a space, in which an app runs."""
    whole.make_space("alans-own", "alan", "JupyterLab")
    whole.open_app("alans-own", "JupyterLab")
    wait(lambda: "alans-own" in whole.at_work())


def one_comes_one_goes(whole: Whole) -> None:
    """Profile, role and the right to assume it are the newcomer's; of who has left nothing stays."""
    profiles = whole.client("sagemaker").list_user_profiles()["UserProfiles"]
    assert {profile["UserProfileName"] for profile in profiles} == {"ada", "grace", "tim"}
    spaces = whole.client("sagemaker").list_spaces()["Spaces"]
    assert {space["SpaceName"] for space in spaces} == set(WORK)
    role = whole.user("tim")["ExecutionRole"].rpartition("/")[2]
    assert "Usertim" in role
    iam = whole.client("iam")
    trust = iam.get_role(RoleName="research-dev-data-scientist")["Role"]["AssumeRolePolicyDocument"]
    assert "tim" in json.dumps(trust)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="research-dev-reviewer")
    [action] = whole.client("budgets").describe_budget_actions_for_account(AccountId=whole.spec.account)[
        "Actions"
    ]
    assert role in action["Definition"]["IamActionDefinition"]["Roles"]


def other_limits(whole: Whole) -> None:
    """Idle minutes and volumes of all, and those of one person; spaces that are there keep theirs."""
    settings, grace = whole.domain["DefaultUserSettings"], whole.user("grace")
    assert _idle(settings) == {"IdleTimeoutInMinutes": 90, "MinIdleTimeoutInMinutes": 60} | {
        "LifecycleManagement": "ENABLED",
        "MaxIdleTimeoutInMinutes": 300,
    }
    assert settings["SpaceStorageSettings"]["DefaultEbsStorageSettings"] == {
        "DefaultEbsVolumeSizeInGb": 10,
        "MaximumEbsVolumeSizeInGb": 200,
    }
    assert _idle(grace)["MaxIdleTimeoutInMinutes"] == 600


def other_scripts(whole: Whole) -> None:
    """The domain points at a configuration that holds them."""
    sagemaker = whole.client("sagemaker")
    [arn] = whole.domain["DefaultUserSettings"]["JupyterLabAppSettings"]["LifecycleConfigArns"]
    config = sagemaker.describe_studio_lifecycle_config(StudioLifecycleConfigName=arn.rpartition("/")[2])
    script = base64.b64decode(config["StudioLifecycleConfigContent"]).decode()
    assert f"s3://{DATA}/team/" in script


def other_sizes(whole: Whole) -> None:
    """What is offered, what is the default, and what IAM refuses."""
    settings = whole.domain["DefaultUserSettings"]
    assert settings["JupyterLabAppSettings"]["DefaultResourceSpec"]["InstanceType"] == "ml.t3.large"
    hidden = settings["StudioWebPortalSettings"]["HiddenInstanceTypes"]
    assert "ml.g4dn.xlarge" in hidden
    assert "ml.m5.xlarge" not in hidden
    assert '"ml.m5.*"' in whole.policy("research-dev-access-Guardrailsworkplaces")


def switches_off(whole: Whole) -> None:
    """No Docker, no sharing, no pretrained models; another repository is offered."""
    domain = whole.domain
    settings = domain["DefaultUserSettings"]
    assert domain["DomainSettings"]["DockerSettings"]["EnableDockerAccess"] == "DISABLED"
    assert settings["SharingSettings"]["NotebookOutputOption"] == "Disabled"
    assert "JumpStart" in settings["StudioWebPortalSettings"]["HiddenMlTools"]
    [repository] = settings["JupyterLabAppSettings"]["CodeRepositories"]
    assert repository == {"RepositoryUrl": "https://github.com/example/notebooks.git"}


def scaling(whole: Whole) -> None:
    """The next model is served by as many instances as it needs: data are uploaded, and all else follows."""
    journey, began = whole.upload("curve")
    whole.ended(journey.training_run(began))
    whole.ended(journey.deployment(began))
    [target] = whole.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )["ScalableTargets"]
    assert target["ResourceId"].startswith("endpoint/research-dev-curve/")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)


def one_more_job(whole: Whole) -> None:
    """An upload for it starts it, and it registers its models in a group of its own."""
    journey, began = whole.upload("slope")
    run = whole.ended(journey.training_run(began))
    package = whole.client("sagemaker").describe_model_package(ModelPackageName=run["modelPackage"])
    assert package["ModelPackageGroupName"] == "research-dev-slope"


def a_bigger_notebook(whole: Whole) -> None:
    """Its volume has grown and it runs as before; it is stopped at another time."""
    notebook = whole.notebook()
    assert (notebook["VolumeSizeInGB"], notebook["NotebookInstanceStatus"]) == (300, "InService")
    scheduler = whole.client("scheduler")
    [schedule] = scheduler.list_schedules(NamePrefix="research-dev-notebooks")["Schedules"]
    assert scheduler.get_schedule(Name=schedule["Name"])["ScheduleExpression"] == "cron(30 18 * * ? *)"
    config = whole.client("sagemaker").describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=NOTEBOOK
    )
    assert "ATELIER_IDLE_MINUTES=90" in base64.b64decode(config["OnStart"][0]["Content"]).decode()


def shorter_jobs(whole: Whole) -> None:
    """IAM refuses jobs of more than two hours; one that does not say how long it takes asks for no more."""
    assert "7200" in _machine(whole, "research-dev-train-slope")
    assert "7200" in whole.policy("research-dev-access-Guardrailsjobs")


def another_image(whole: Whole) -> None:
    """Studio offers the newer one; fewer are kept, and one more account may pull them."""
    ecr = whole.client("ecr")
    rules = json.loads(
        ecr.get_lifecycle_policy(repositoryName="research-dev/workbench")["lifecyclePolicyText"]
    )
    assert rules["rules"][0]["selection"]["countNumber"] == 5
    version = whole.client("sagemaker").describe_image_version(ImageName="research-dev-workbench")
    assert version["BaseImage"].endswith("/research-dev/workbench:1.1.0")


def retention(whole: Whole) -> None:
    """From now on nothing that holds data goes; and nothing has gone by the change."""
    assert whole.client("s3").get_object(**SHARED)["Body"].read() == b"{}"
    sagemaker = whole.client("sagemaker")
    for job in ("curve", "slope"):
        group = f"research-dev-{job}"
        assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert all(_protected(whole).values())


def no_retention(whole: Whole) -> None:
    """The environment may be removed again."""
    assert whole.client("s3").get_object(**SHARED)["Body"].read() == b"{}"
    assert not any(_protected(whole).values())


def less(whole: Whole) -> None:
    """What the parts were made of is gone, though other stacks had a share in it."""
    assert not whole.client("sagemaker").list_endpoints(NameContains="research-dev")["Endpoints"]
    assert not whole.client("budgets").describe_budgets(AccountId=whole.spec.account).get("Budgets")


def _idle(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = settings["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    return found


def _machine(whole: Whole, name: str) -> str:
    arn = f"arn:aws:states:eu-west-1:{whole.spec.account}:stateMachine:{name}"
    definition: str = whole.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    return definition


def _protected(whole: Whole) -> dict[str, bool]:
    """Which stacks CloudFormation refuses to delete."""
    return {
        stack["StackName"]: stack["EnableTerminationProtection"]
        for stack in whole.client("cloudformation").describe_stacks()["Stacks"]
        if stack["StackName"].startswith("research-dev-")
    }
