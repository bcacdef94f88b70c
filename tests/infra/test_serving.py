"""What an approval starts, and that an endpoint goes with its stack."""

from __future__ import annotations

from lambdas.start_deployment.settings import StartDeploymentSettings


def one(assembly, type_, stack="vision-dev-serving"):
    """The only resource of its type in a stack."""
    [resource] = [found for found in assembly.resources(type_) if found.stack == stack]
    return resource


def test_an_approval_of_a_served_group_starts_a_deployment(assembly):
    """Only completed, approved versions of groups that an endpoint serves."""
    detail = one(assembly, "AWS::Events::Rule").properties["EventPattern"]["detail"]
    assert detail == {
        "ModelPackageGroupName": ["vision-dev-curve"],
        "ModelPackageStatus": ["Completed"],
        "ModelApprovalStatus": ["Approved"],
    }
    [function] = [
        found
        for found in assembly.resources("AWS::Lambda::Function", stage="vision-dev")
        if found.properties.get("FunctionName") == "vision-dev-start-deployment"
    ]
    settings = StartDeploymentSettings.from_environment(function.properties["Environment"]["Variables"])
    assert settings.endpoints == {"vision-dev-curve": ["curve"]}


def test_an_endpoint_is_removed_after_its_rule_and_before_its_state_machine(assembly):
    """No deployment starts while the endpoint goes, and those that run can still be stopped."""
    removal = one(assembly, "Custom::AtelierRemoval")
    assert removal.properties["Name"] == "vision-dev-curve"
    machine = one(assembly, "AWS::StepFunctions::StateMachine")
    assert removal.properties["Machine"] == {"Ref": machine.logical_id}
    rule = one(assembly, "AWS::Events::Rule")
    assert removal.logical_id in rule.definition["DependsOn"]


def test_only_an_endpoint_with_scaling_may_be_scaled(assembly):
    """What an endpoint does not declare, its state machine may not do."""
    for stage, expected in (("audio-dev", True), ("vision-dev", False)):
        actions = {action for found in assembly.statements(stage=stage) for action in found.actions}
        assert ("application-autoscaling:RegisterScalableTarget" in actions) is expected


def test_a_deployment_may_touch_its_own_endpoint_only(assembly):
    """Creating, updating and deleting name the endpoint in full."""
    resources = [
        resource
        for found in assembly.statements(stage="audio-dev")
        if "sagemaker:UpdateEndpoint" in found.actions
        for resource in found.resources
        if ":endpoint/" in resource
    ]
    assert resources == ["arn:aws:sagemaker:eu-west-1:111122223333:endpoint/audio-dev-pitch"]
