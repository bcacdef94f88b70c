"""Notebook instances: private, encrypted, and stopped when nobody uses them."""

from __future__ import annotations

import base64
import json

import pytest

STAGE = "research-dev"


@pytest.fixture(scope="module")
def notebook(assembly):
    """The properties of the one notebook instance of the shipped teams."""
    [notebook] = assembly.resources("AWS::SageMaker::NotebookInstance")
    assert notebook.stack == f"{STAGE}-notebooks"
    return notebook.properties


def test_an_instance_is_as_the_team_file_says(notebook):
    """Named after it, with its size, volume and repository; the owner is a tag."""
    assert notebook["NotebookInstanceName"] == f"{STAGE}-containers"
    assert notebook["InstanceType"] == "ml.m5.xlarge"
    assert notebook["VolumeSizeInGB"] == 200
    assert notebook["DefaultCodeRepository"].startswith("https://github.com/")
    assert notebook["Tags"] == [{"Key": "owner", "Value": "grace"}]


def test_an_instance_is_closed(notebook):
    """No root, no way to the internet but the network's, no old metadata service, encrypted, on al2023."""
    assert notebook["RootAccess"] == "Disabled"
    assert notebook["DirectInternetAccess"] == "Disabled"
    assert notebook["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert notebook["PlatformIdentifier"] == "notebook-al2023-v1"
    assert notebook["SubnetId"]
    assert notebook["SecurityGroupIds"]
    assert "Key" in json.dumps(notebook["KmsKeyId"])


def test_every_instance_stops_itself_when_idle(assembly, notebook):
    """auto_stop runs at every start, last, with the minutes of the file; Docker's data moves before."""
    [config] = assembly.resources("AWS::SageMaker::NotebookInstanceLifecycleConfig")
    assert config.properties["NotebookInstanceLifecycleConfigName"] == notebook["LifecycleConfigName"]
    [hook] = config.properties["OnStart"]
    script = base64.b64decode(hook["Content"]).decode()
    assert "export ATELIER_IDLE_MINUTES=60\n" in script
    assert script.index("finish docker_data_directory") < script.index("finish auto_stop")
    [instance] = assembly.resources("AWS::SageMaker::NotebookInstance")
    assert config.logical_id in instance.definition["DependsOn"]


def test_an_instance_is_stopped_on_schedule(assembly):
    """By the scheduler itself, which may stop the environment's notebook instances and nothing else."""
    [schedule] = assembly.resources("AWS::Scheduler::Schedule")
    assert schedule.properties["ScheduleExpression"] == "cron(0 19 * * ? *)"
    target = schedule.properties["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance"
    assert json.loads(target["Input"]) == {"NotebookInstanceName": f"{STAGE}-containers"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] < 5
    role = target["RoleArn"]["Fn::GetAtt"][0]
    [policies] = [
        one.properties["Policies"]
        for one in assembly.resources("AWS::IAM::Role", stage=STAGE)
        if one.stack.endswith("-notebooks") and one.logical_id == role
    ]
    [statement] = policies[0]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sagemaker:StopNotebookInstance"
    assert statement["Resource"] == f"arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/{STAGE}-*"


def test_an_instance_runs_as_its_owners_role(assembly, notebook):
    """With what the persona may do, and the right to stop itself."""
    role = notebook["RoleArn"]["Fn::GetAtt"][0]
    assert "grace" in role
    sids = {
        statement["Sid"]
        for policy in assembly.resources("AWS::IAM::ManagedPolicy", stage=STAGE)
        if policy.stack.endswith("-notebooks") and {"Ref": role} in policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
    }
    assert {"StartRuns", "StopItself", "WorkplaceLogs"} <= sids
    assert "ApproveAndReject" not in sids
