"""All that there is in an account and region, to see what comes and goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath

# service, operation, what its items are called
KINDS = [
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets[].ResourceId"),
    ("budgets", "describe_budgets", "Budgets[].BudgetName"),
    ("cloudformation", "describe_stacks", "Stacks[].StackName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    ("ec2", "describe_addresses", "Addresses[].AllocationId"),
    ("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    ("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    ("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    ("ec2", "describe_network_acls", "NetworkAcls[].NetworkAclId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces[].[NetworkInterfaceId, Description]"),
    ("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups[].[GroupId, GroupName]"),
    ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
    ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    ("ecr", "describe_repositories", "repositories[].repositoryName"),
    ("efs", "describe_file_systems", "FileSystems[].FileSystemId"),
    ("events", "list_rules", "Rules[].Name"),
    ("iam", "list_policies", "Policies[].PolicyName"),
    ("iam", "list_roles", "Roles[].RoleName"),
    ("kms", "list_aliases", "Aliases[].AliasName"),
    ("kms", "list_keys", "Keys[].KeyId"),
    ("lambda", "list_functions", "Functions[].FunctionName"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("route53resolver", "list_firewall_domain_lists", "FirewallDomainLists[].Name"),
    ("route53resolver", "list_firewall_rule_groups", "FirewallRuleGroups[].Name"),
    ("s3", "list_buckets", "Buckets[].Name"),
    ("sagemaker", "list_app_image_configs", "AppImageConfigs[].AppImageConfigName"),
    ("sagemaker", "list_apps", "Apps[?Status!='Deleted'].[SpaceName, AppType]"),
    ("sagemaker", "list_domains", "Domains[].DomainName"),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs[].EndpointConfigName"),
    ("sagemaker", "list_endpoints", "Endpoints[].EndpointName"),
    ("sagemaker", "list_images", "Images[].ImageName"),
    ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList[].ModelPackageGroupName"),
    ("sagemaker", "list_models", "Models[].ModelName"),
    ("sagemaker", "list_notebook_instances", "NotebookInstances[].NotebookInstanceName"),
    (
        "sagemaker",
        "list_notebook_instance_lifecycle_configs",
        "NotebookInstanceLifecycleConfigs[].NotebookInstanceLifecycleConfigName",
    ),
    ("sagemaker", "list_spaces", "Spaces[].SpaceName"),
    ("sagemaker", "list_studio_lifecycle_configs", "StudioLifecycleConfigs[].StudioLifecycleConfigName"),
    # Jobs that have ended stay listed for ever, on AWS too.
    (
        "sagemaker",
        "list_training_jobs",
        "TrainingJobSummaries[?TrainingJobStatus=='InProgress'].TrainingJobName",
    ),
    ("sagemaker", "list_user_profiles", "UserProfiles[].UserProfileName"),
    ("scheduler", "list_schedules", "Schedules[].Name"),
    ("sns", "list_topics", "Topics[].TopicArn"),
    ("sqs", "list_queues", "QueueUrls[]"),
    ("ssm", "describe_parameters", "Parameters[].Name"),
    ("stepfunctions", "list_state_machines", "stateMachines[].name"),
]
ARGUMENTS: dict[str, Callable[[str], dict[str, str]]] = {
    "describe_budgets": lambda account: {"AccountId": account},
    "list_policies": lambda account: {"Scope": "Local"},
    "describe_scalable_targets": lambda account: {"ServiceNamespace": "sagemaker"},
}


def inventory(client: Callable[[str], Any], account: str) -> dict[str, set[str]]:
    """What there is, by service and kind; keys that are to be deleted are gone."""
    found = {
        f"{service} {operation}": set(_listed(client(service), operation, items, account))
        for service, operation, items in KINDS
    }
    kms = client("kms")
    found["kms list_keys"] -= {
        key
        for key in found["kms list_keys"]
        if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    }
    return found


def more(after: dict[str, set[str]], before: dict[str, set[str]]) -> dict[str, set[str]]:
    """What has come, without the kinds of which nothing has."""
    return {kind: new for kind, items in after.items() if (new := items - before[kind])}


def _listed(client: Any, operation: str, items: str, account: str) -> list[str]:
    arguments = ARGUMENTS[operation](account) if operation in ARGUMENTS else {}
    pages = (
        client.get_paginator(operation).paginate(**arguments)
        if client.can_paginate(operation)
        else [getattr(client, operation)(**arguments)]
    )
    found = [item for page in pages for item in jmespath.search(items, page) or []]
    return [" ".join(filter(None, item)) if isinstance(item, list) else item for item in found]
