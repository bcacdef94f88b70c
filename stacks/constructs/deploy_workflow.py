"""The definition of an endpoint's state machine: model, config, endpoint, smoke test, scaling, record.

Its input is `{"endpoint", "modelPackage", "version"}` as `start_deployment` writes it, its output
`{"status", "endpoint", "modelPackage", "config", "smokeTest"}`. Whatever fails, the endpoint serves in the
end what it served before: a new endpoint that fails is removed, one that was updated goes back to its
previous config.

There is no lock. Of several deployments the one that begins its update last wins; one that finds a config
live that is neither its own nor the one it replaced has been superseded: it touches nothing and succeeds with
the status "superseded". Only what is the deployment's own is ever undone. With further variants a deployment
that had to wait begins again, with what is approved by then (`deploy_variants`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atelier.spec import names
from atelier.spec.disks import has_local_disks
from atelier.spec.model import OWN_VARIANT, Endpoint, Scaling, TeamEnvironment
from stacks.constructs import deploy_variants as variants
from stacks.constructs.asl import (
    API,
    State,
    States,
    assign,
    catch,
    choice,
    failure_states,
    ignore,
    invoke,
    jsonata,
    literal,
    notify,
    task,
)
from stacks.constructs.guardrail_conditions import Place
from stacks.team_stack import tags

LOG_GROUP = "/aws/sagemaker/Endpoints"
NAME_LENGTH = 63  # what SageMaker allows
# Longer and longer: a local endpoint is there in seconds, one on AWS in minutes, and each look costs events.
POLL_SECONDS = "$min([30, 1 + $floor($looks / 4)])"
UNSETTLED = '["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"]'
CREATE_MODEL = "Create the model"
BEGIN_AGAIN = "Begin again"
UNDO = "Undo anything?"
SUPERSEDED = "Superseded"
IN_THE_WAY = "Is another in the way?"
# What SageMaker says when another deployment was quicker; it has no error code for it, only these messages.
CONFLICT = '/already exist|in-progress|could not find endpoint "|rate exceeded/i'
MOST_TRIES = 3  # of going back


@dataclass(frozen=True, kw_only=True)
class DeployWorkflowProps:
    """What an endpoint's definition is made of; ARNs may be tokens."""

    spec: TeamEnvironment
    endpoint_name: str
    key_arn: str
    execution_role_arn: str
    smoke_test_arn: str
    explain_arn: str
    topic_arn: str
    place: Place | None = None
    """Where the models run, where the environment has a network."""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as the team file has it."""
        return self.spec.endpoints[self.endpoint_name]

    @property
    def physical_name(self) -> str:
        """The endpoint's name in SageMaker."""
        return names.endpoint(self.spec.team, self.spec.name, self.endpoint_name)

    @property
    def record(self) -> str:
        """The SSM parameter that says what the endpoint serves."""
        return names.endpoint_record(self.spec.team, self.spec.name, self.endpoint_name)

    @property
    def tags(self) -> list[dict[str, str]]:
        """Of everything that a deployment makes."""
        return [{"Key": key, "Value": value} for key, value in tags(self.spec).items()]


def deploy_definition(props: DeployWorkflowProps) -> dict[str, Any]:
    """The definition of the endpoint's state machine."""
    return {
        "Comment": f"Deploys to endpoint {props.physical_name}",
        "QueryLanguage": "JSONata",
        "StartAt": "Prepare",
        "States": {
            **_model_states(props),
            **_endpoint_states(props),
            **_look_states(props, "", then="Is it the new one?", on_error=catch(UNDO)),
            **_check_states(props),
            **_record_states(props),
            **_undo_states(props),
            **failure_states(
                props.explain_arn,
                props.topic_arn,
                what=f"deployment to endpoint {props.endpoint_name}",
                log_group=f"{LOG_GROUP}/{props.physical_name}",
                log_stream=literal(OWN_VARIANT),
            ),
        },
    }


def _model_states(props: DeployWorkflowProps) -> States:
    """Make a model and a config of the same fresh name: a fixed one would be taken on the next deployment."""
    endpoint = props.endpoint
    variables = {
        "package": jsonata("$states.input.modelPackage"),
        "version": jsonata("$states.input.version"),
        "name": _fresh_name(props, "$states.input.version"),
        "served": {},
        "done": "nothing",
        "previous": "",
        "live": "",
        "older": "",
        "looks": 0,
        "tries": 0,
        "smokeTest": "skipped: the endpoint declares no sample",
    }
    variant = {
        "VariantName": OWN_VARIANT,
        "ModelName": jsonata("$name"),
        "InstanceType": endpoint.instance,
        "InitialInstanceCount": endpoint.instance_count,
    }
    several = jsonata(variants.production_variants(endpoint, variant))
    config: dict[str, Any] = {
        "EndpointConfigName": jsonata("$name"),
        "ProductionVariants": several if endpoint.variants else [variant],
        "Tags": props.tags,
    }
    if not has_local_disks(endpoint.instance):
        config["KmsKeyId"] = props.key_arn
    model = {
        "ModelName": jsonata("$name"),
        "ExecutionRoleArn": props.execution_role_arn,
        "PrimaryContainer": {"ModelPackageName": jsonata("$package")},
        **({"VpcConfig": props.place.vpc_config} if props.place else {}),
        "Tags": props.tags,
    }
    found, modelled = CREATE_MODEL, "Create the config"
    further: States = {}
    if endpoint.variants:
        first = next(iter(endpoint.variants))
        found, modelled = f"Find the model of {OWN_VARIANT}", f"Has {first} a model?"
        model["PrimaryContainer"] = {"ModelPackageName": jsonata(f"$served.{OWN_VARIANT}")}
        further = {
            BEGIN_AGAIN: assign(
                {"name": _fresh_name(props, "$version"), "served": {}, "looks": 0}, then=found
            ),
            **variants.find_states(props.spec, endpoint, then=CREATE_MODEL, failed="Explain"),
            **variants.model_states(endpoint, model, then="Create the config", failed=UNDO),
        }
    return {
        "Prepare": assign(variables, then="Describe the package"),
        "Describe the package": task(
            f"{API}:sagemaker:describeModelPackage",
            {"ModelPackageName": jsonata("$package")},
            then=found,
            on_error=catch("Explain"),
            assign={"lineage": jsonata("$merge([{}, $states.result.CustomerMetadataProperties])")},
        ),
        CREATE_MODEL: task(f"{API}:sagemaker:createModel", model, then=modelled, on_error=catch("Explain")),
        **further,
        "Create the config": task(
            f"{API}:sagemaker:createEndpointConfig", config, then="Find the endpoint", on_error=catch(UNDO)
        ),
    }


def _fresh_name(props: DeployWorkflowProps, version: str) -> str:
    stem = f"{literal(props.physical_name + '-v')} & $string({version})"
    digits = "$hash($states.context.Execution.Id & $states.context.State.EnteredTime, 'SHA-256')"
    unique = f"$substring({digits}, 0, {variants.UNIQUE_LENGTH})"
    room = NAME_LENGTH - variants.UNIQUE_LENGTH - 1
    return jsonata(f"$substring({stem}, 0, {room}) & '-' & {unique}")


def _endpoint_states(props: DeployWorkflowProps) -> States:
    """Create the endpoint or update it, once another deployment that is under way has ended."""
    name = props.physical_name
    all_at_once = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    blue_green = {"TrafficRoutingConfiguration": all_at_once, "TerminationWaitInSeconds": 0}
    update = {
        "EndpointName": name,
        "EndpointConfigName": jsonata("$name"),
        # Counts that scaling has changed stay; without scaling, the team file's count is the one that holds.
        "RetainAllVariantProperties": props.endpoint.scaling is not None,
        "DeploymentConfig": {"BlueGreenUpdatePolicy": blue_green},
    }
    if props.endpoint.variants:
        update["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": "DesiredWeight"}]
    live_version = r"$number($match($previous, /-v([0-9]+)-[0-9a-f]+$/).groups[0])"
    found = f"'' & $states.result.Endpoints[EndpointName = {literal(name)}].EndpointStatus"
    # Only after a wait: an older version that a person approves later, to go back, is to be served.
    outdated = "$looks > 0" if props.endpoint.variants else f"$looks > 0 and {live_version} > $version"
    outdone = BEGIN_AGAIN if props.endpoint.variants else SUPERSEDED
    return {
        # A list says that there is none; to describe what does not exist is an error like any other.
        "Find the endpoint": task(
            f"{API}:sagemaker:listEndpoints",
            {"NameContains": name, "MaxResults": 100},
            then="Does it exist?",
            on_error=catch(UNDO),
            assign={"status": jsonata(found)},
        ),
        "Does it exist?": choice(
            ("$status = ''", "Create the endpoint"),
            ("$status = 'Failed'", "Remove what failed"),
            (f"$status in {UNSETTLED}", "Wait for its turn"),
            otherwise="What does it serve?",
        ),
        "Wait for its turn": {
            "Type": "Wait",
            "Seconds": jsonata(POLL_SECONDS),
            "Assign": {"looks": jsonata("$looks + 1")},
            "Next": "Find the endpoint",
        },
        "Remove what failed": task(
            f"{API}:sagemaker:deleteEndpoint",
            {"EndpointName": name},
            then="Wait for its turn",
            on_error=catch(IN_THE_WAY),
            retry=[],  # tried again blindly, it could remove what another has made since
        ),
        "Create the endpoint": task(
            f"{API}:sagemaker:createEndpoint",
            {"EndpointName": name, "EndpointConfigName": jsonata("$name"), "Tags": props.tags},
            then="Wait",
            on_error=catch(IN_THE_WAY),
            retry=[],
            assign={"done": "created", "looks": 0},
        ),
        "What does it serve?": task(
            f"{API}:sagemaker:describeEndpoint",
            {"EndpointName": name},
            then="Has a newer one won?",
            on_error=catch(UNDO),
            assign={"previous": jsonata("$states.result.EndpointConfigName")},
        ),
        "Has a newer one won?": choice(
            (outdated, "Delete the unused config"), otherwise="Update the endpoint"
        ),
        **_delete_states(props, "Delete the unused config", "Delete the unused model", "$name", then=outdone),
        "Update the endpoint": task(
            f"{API}:sagemaker:updateEndpoint",
            update,
            then="Wait",
            on_error=catch(IN_THE_WAY),
            retry=[],  # what is live has to be looked at again
            assign={"done": "updated", "looks": 0},
        ),
        IN_THE_WAY: choice((f"$contains($failure.cause, {CONFLICT})", "Wait for its turn"), otherwise=UNDO),
    }


def _look_states(props: DeployWorkflowProps, suffix: str, *, then: str, on_error: list[State]) -> States:
    """Look at the endpoint until it has settled; then `status`, `live` (its config) and `reason` say how."""
    wait, look, settled = f"Wait{suffix}", f"Look{suffix}", f"Has it settled{suffix}?"
    return {
        wait: {"Type": "Wait", "Seconds": jsonata(POLL_SECONDS), "Next": look},
        look: task(
            f"{API}:sagemaker:describeEndpoint",
            {"EndpointName": props.physical_name},
            then=settled,
            on_error=on_error,
            assign={
                "status": jsonata("$states.result.EndpointStatus"),
                "live": jsonata("$states.result.EndpointConfigName"),
                "reason": jsonata("'' & $states.result.FailureReason"),
                "looks": jsonata("$looks + 1"),
            },
        ),
        settled: choice((f"$status in {UNSETTLED}", wait), otherwise=then),
    }


def _check_states(props: DeployWorkflowProps) -> States:
    """Is it there, does it answer its sample, is it scaled as declared?"""
    endpoint = props.endpoint
    scale = "Register the scaling" if endpoint.scaling else "Forget the scaling"
    failed = {
        "error": "Atelier.EndpointFailed",
        "cause": jsonata(
            "$live = $name ? 'the endpoint is ' & $status & ': ' & $reason"
            " : 'the endpoint went back to config ' & $live & ': ' & $reason"
        ),
    }
    states = {
        "Is it the new one?": choice(
            ("$status = 'InService' and $live = $name", "Ask the sample" if endpoint.sample else scale),
            ("$live = $name or $live = $previous", "It did not come up"),
            otherwise=SUPERSEDED,
        ),
        "It did not come up": assign({"failure": failed}, then=UNDO),
        **_scaling_states(props.physical_name, endpoint.scaling),
        **_look_states(props, " once more", then="Is it still the new one?", on_error=catch(UNDO)),
        "Is it still the new one?": choice(("$live = $name", "Read the record"), otherwise=SUPERSEDED),
    }
    if endpoint.sample:
        sample = {
            "endpoint": props.physical_name,
            # As an expression: a body that looks like one is not to be taken for one.
            "contentType": jsonata(literal(endpoint.sample.content_type)),
            "body": jsonata(literal(endpoint.sample.body)),
        }
        if endpoint.variants:
            sample["variants"] = jsonata(variants.ANSWERING)
        states["Ask the sample"] = invoke(
            props.smoke_test_arn,
            sample,
            then=scale,
            on_error=catch(UNDO),
            assign={"smokeTest": jsonata("$states.result.Payload")},
        )
    return states


def _scaling_states(endpoint: str, scaling: Scaling | None) -> States:
    """Track the load as declared; without a declaration, drop what an earlier one has left."""
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{OWN_VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    service = f"{API}:applicationautoscaling"
    record = "Look once more"  # another deployment may have begun meanwhile; its record is to stay
    if scaling is None:
        return {
            "Forget the scaling": task(
                f"{service}:deregisterScalableTarget", target, then=record, on_error=ignore(record), retry=[]
            )
        }
    tracking = {
        "TargetValue": scaling.invocations_per_instance,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    return {
        "Register the scaling": task(
            f"{service}:registerScalableTarget",
            {**target, "MinCapacity": scaling.min_instances, "MaxCapacity": scaling.max_instances},
            then="Track the load",
            on_error=catch(UNDO),
        ),
        "Track the load": task(
            f"{service}:putScalingPolicy",
            {
                **target,
                "PolicyName": f"{endpoint}-invocations",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": tracking,
            },
            then=record,
            on_error=catch(UNDO),
        ),
    }


def _record_states(props: DeployWorkflowProps) -> States:
    """Record what is served; keep the config before it, delete the one before that; tell people; end."""
    record = (
        "$string({'endpoint': " + literal(props.physical_name) + ", 'modelPackage': $package, "
        "'version': $version, 'config': $name, 'previous': $previous, 'run': $lineage.run, "
        "'deployed': $states.context.State.EnteredTime, 'execution': $states.context.Execution.Id"
        + (", 'variants': $served})" if props.endpoint.variants else "})")
    )
    output = {
        "status": "deployed",
        "endpoint": props.physical_name,
        "modelPackage": jsonata("$package"),
        "config": jsonata("$name"),
        "smokeTest": jsonata("$smokeTest"),
    }
    tell = "Tell of the deployment"
    return {
        "Read the record": task(
            f"{API}:ssm:getParameter",
            {"Name": props.record},
            then="Write the record",
            on_error=ignore("Write the record"),
            retry=[],
            assign={"older": jsonata("'' & $parse($states.result.Parameter.Value).previous")},
        ),
        "Write the record": task(
            f"{API}:ssm:putParameter",
            {"Name": props.record, "Type": "String", "Overwrite": True, "Value": jsonata(record)},
            then="Is an older one left?",
            on_error=catch(UNDO),
        ),
        "Is an older one left?": choice(
            ("$older != '' and $older != $previous", "Delete the older config"), otherwise=tell
        ),
        **_delete_states(props, "Delete the older config", "Delete the older model", "$older", then=tell),
        tell: notify(
            props.topic_arn,
            literal(f"[atelier] endpoint {props.endpoint_name} serves a new model"),
            f"{literal(f'Endpoint {props.physical_name} serves version ')} & $string($version) & '.\\n\\n'"
            " & $package & '\\nSmoke test: ' & $string($smokeTest)",
            then="Done",
        ),
        "Done": {"Type": "Succeed", "Output": output},
        # Its config may be what the newer deployment would go back to: it stays.
        SUPERSEDED: {"Type": "Succeed", "Output": {**output, "status": "superseded"}},
        **_waiting_states(props, output),
    }


def _waiting_states(props: DeployWorkflowProps, output: dict[str, Any]) -> States:
    """A further variant is served beside the endpoint's own model, so it waits for that."""
    if not props.endpoint.variants:
        return {}
    return {variants.WAITING: {"Type": "Succeed", "Output": {**output, "status": "waiting", "config": ""}}}


def _delete_states(props: DeployWorkflowProps, config: str, model: str, name: str, *, then: str) -> States:
    """Delete a config and its models, called after `name` (JSONata); what cannot be deleted does no harm."""
    further = variants.delete_states(props.endpoint, model, name, then=then)
    after = next(iter(further), then)
    return {
        config: task(
            f"{API}:sagemaker:deleteEndpointConfig",
            {"EndpointConfigName": jsonata(name)},
            then=model,
            on_error=ignore(model),
        ),
        model: task(
            f"{API}:sagemaker:deleteModel", {"ModelName": jsonata(name)}, then=after, on_error=ignore(after)
        ),
        **further,
    }


def _undo_states(props: DeployWorkflowProps) -> States:
    """Leave the endpoint as it was, and nothing of this deployment; a newer deployment's config stays."""
    name = props.physical_name
    look = "Look before undoing"
    # Not retried blindly: what is live by then may be another deployment's.
    again = [
        {
            "ErrorEquals": ["States.ALL"],
            "Next": "Wait before undoing",
            "Assign": {"tries": jsonata("$tries + 1")},
        }
    ]
    return {
        UNDO: choice(("$done = 'nothing'", "Delete the config"), otherwise=look),
        **_look_states(props, " before undoing", then="Undo what?", on_error=ignore("Explain")),
        "Undo what?": choice(
            (f"$tries > {MOST_TRIES}", "Explain"),
            ("$live = $previous", "Delete the config"),
            ("$live != $name", SUPERSEDED),
            ("$done = 'created'", "Remove the endpoint"),
            otherwise="Go back",
        ),
        "Remove the endpoint": task(
            f"{API}:sagemaker:deleteEndpoint",
            {"EndpointName": name},
            then="Delete the config",
            on_error=again,
            retry=[],
        ),
        "Go back": task(
            f"{API}:sagemaker:updateEndpoint",
            {"EndpointName": name, "EndpointConfigName": jsonata("$previous")},
            then="Wait to be back",
            on_error=again,
            retry=[],
            assign={"looks": 0},
        ),
        **_look_states(props, " to be back", then="Is it back?", on_error=ignore("Explain")),
        # A config that is in use stays, whatever else is wrong.
        "Is it back?": choice(("$live = $previous", "Delete the config"), otherwise="Explain"),
        **_delete_states(props, "Delete the config", "Delete the model", "$name", then="Explain"),
    }
