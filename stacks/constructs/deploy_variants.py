"""The further production variants of an endpoint: the newest approved model of each one's job.

They are looked up anew in each deployment, and again after another deployment has gone before, so that of two
models approved at the same time neither is lost. A variant whose job has no approved model yet is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from atelier.spec import names
from atelier.spec.model import OWN_VARIANT, Endpoint, TeamEnvironment
from stacks.constructs.asl import API, States, catch, choice, ignore, jsonata, literal, task

WAITING = "Nothing to serve yet"
UNIQUE_LENGTH = 8  # hexadecimal digits that tell apart what is otherwise called alike
ANSWERING = "[$filter($keys($served), function($name) { $lookup($served, $name) != '' })]"
"""The names of the variants that have a model; JSONata."""


def find_states(spec: TeamEnvironment, endpoint: Endpoint, *, then: str, failed: str) -> States:
    """Set `served`, variant to model package, empty where there is none; `then` when there is one to serve.

    The package that was just approved is taken, though an older one; of the other jobs the newest.
    """
    finds = [f"Find the model of {variant}" for variant in endpoint.served]
    states: States = {}
    steps = pairwise([*finds, "Is there one?"])
    for (variant, job), (here, following) in zip(endpoint.served.items(), steps, strict=True):
        group = names.model_package_group(spec.team, spec.name, job)
        approved = f"$contains($package, {literal(f':model-package/{group}/')})"
        newest = "'' & $states.result.ModelPackageSummaryList[0].ModelPackageArn"
        states[here] = task(
            f"{API}:sagemaker:listModelPackages",
            {
                "ModelPackageGroupName": group,
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            then=following,
            on_error=catch(failed),
            assign={
                "served": jsonata(
                    f"$merge([$served, {{{literal(variant)}: {approved} ? $package : {newest}}}])"
                )
            },
        )
    own = f"$lookup($served, {literal(OWN_VARIANT)})"
    return {**states, "Is there one?": choice((f"{own} = ''", WAITING), otherwise=then)}


def model_states(endpoint: Endpoint, model: Mapping[str, Any], *, then: str, failed: str) -> States:
    """Make the models of the further variants that have one, each like `model` but for name and package."""
    states: States = {}
    steps = pairwise([*(f"Has {variant} a model?" for variant in endpoint.variants), then])
    for variant, (here, after) in zip(endpoint.variants, steps, strict=True):
        package = f"$lookup($served, {literal(variant)})"
        states[here] = choice((f"{package} != ''", f"Create the model of {variant}"), otherwise=after)
        states[f"Create the model of {variant}"] = task(
            f"{API}:sagemaker:createModel",
            {
                **model,
                "ModelName": jsonata(model_name("$name", variant)),
                "PrimaryContainer": {"ModelPackageName": jsonata(package)},
            },
            then=after,
            on_error=catch(failed),
        )
    return states


def delete_states(endpoint: Endpoint, model: str, name: str, *, then: str) -> States:
    """Delete the models of a deployment's further variants; `name` (JSONata) is the deployment's."""
    states: States = {}
    steps = pairwise([*(f"{model} of {variant}" for variant in endpoint.variants), then])
    for variant, (here, after) in zip(endpoint.variants, steps, strict=True):
        states[here] = task(
            f"{API}:sagemaker:deleteModel",
            {"ModelName": jsonata(model_name(name, variant))},
            then=after,
            on_error=ignore(after),
            retry=[],  # a variant that was not served has none
        )
    return states


def production_variants(endpoint: Endpoint, own: Mapping[str, Any]) -> str:
    """The config's variants that have a model, the endpoint's `own` first; JSONata."""
    instances = endpoint.instances
    written = [_variant(own, "$name", endpoint.weight)]
    for name, variant in endpoint.variants.items():
        further = {"VariantName": name, "InstanceType": instances[name], "InitialInstanceCount": 1}
        written.append(_variant(further, model_name("$name", name), variant.weight))
    return f"[$filter([{', '.join(written)}], function($one) {{ $lookup($served, $one.VariantName) != '' }})]"


def model_name(deployment: str, variant: str) -> str:
    """The name of a variant's model, like that of the deployment (JSONata) but for the digits at its end."""
    stem = f"$substring({deployment}, 0, $length({deployment}) - {UNIQUE_LENGTH})"
    digits = f"$substring($hash({deployment} & {literal(variant)}, 'SHA-256'), 0, {UNIQUE_LENGTH})"
    return f"{stem} & {digits}"


def _variant(properties: Mapping[str, Any], model: str, weight: float) -> str:
    fixed = {key: value for key, value in properties.items() if key != "ModelName"}
    fixed["InitialVariantWeight"] = weight
    return f"$merge([{literal(fixed)}, {{'ModelName': {model}}}])"
