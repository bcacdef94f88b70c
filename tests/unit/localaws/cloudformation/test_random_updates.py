"""Random graphs and updates with failures: what exists is what the last successful template says."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.cloudformation.graph import run_in_order
from localaws.world import World

_NAMES = "ABCDEF"


@st.composite
def _templates(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Each resource's size, name and the resources that it uses, in an order drawn anew for each template."""
    order = draw(st.permutations(sorted(draw(st.sets(st.sampled_from(_NAMES), min_size=1)))))
    return {
        logical_id: {
            "size": draw(st.integers(0, 2)),
            "name": draw(st.sampled_from("xy")),
            "uses": sorted(draw(st.sets(st.sampled_from(order[:position])))) if position else [],
        }
        for position, logical_id in enumerate(order)
    }


_FAILURES = st.sets(st.tuples(st.sampled_from(["create", "update"]), st.sampled_from(_NAMES)), max_size=2)
_STEPS = st.lists(st.tuples(_templates(), _FAILURES, st.booleans()), min_size=1, max_size=6)


def _resources(thing: Any, template: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        logical_id: thing(
            size=wanted["size"], name=wanted["name"], uses=[{"Ref": used} for used in wanted["uses"]]
        )
        for logical_id, wanted in template.items()
    }


def _standing(account: Any) -> dict[str, dict[str, Any]]:
    """What stands on the shelf, in the terms of a template."""
    names = {physical: physical.split("-")[1] for physical in account.shelf.things}
    assert len(set(names.values())) == len(names), "an incarnation was left behind"
    return {
        names[physical]: {
            "size": held["Size"],
            "name": held["Name"],
            "uses": sorted(names[used] for used in held["Uses"]),
        }
        for physical, held in account.shelf.things.items()
    }


def _deploy(account: Any, resources: dict[str, Any], **options: Any) -> str:
    """Create the stack, or update it if that would change anything, and return its status."""
    if not account.describe_stacks()["Stacks"]:
        return str(account.create(resources, **options)["StackStatus"])
    request = account._request(resources, options)
    made = account.create_change_set(StackName="s", ChangeSetName="check", **request)
    changes = account.describe_change_set(ChangeSetName=made["Id"])["Status"] == "CREATE_COMPLETE"
    account.delete_change_set(ChangeSetName=made["Id"])
    return str((account.update(resources, **options) if changes else account.stack())["StackStatus"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_what_exists_is_what_the_last_successful_template_says(
    new_account: Any, thing: Any, steps: list[Any]
) -> None:
    """Whatever is created, updated, replaced, removed, and wherever that fails."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), Path(folder))
        account = new_account(world)
        good: dict[str, dict[str, Any]] | None = None
        for template, failures, keep_going in steps:
            account.shelf.failing_once = set(failures)
            resources = _resources(thing, template)
            status = _deploy(account, resources, DisableRollback=keep_going and good is not None)
            if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                good = template
            elif status == "UPDATE_FAILED":
                account.rollback_stack(StackName="s")
            elif good is None:
                assert status == "ROLLBACK_COMPLETE"
                account.delete_stack(StackName="s")
            assert _standing(account) == (good or {})
        if good is not None:
            account.delete_stack(StackName="s")
        assert account.shelf.things == {}
        world.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_templates(), _FAILURES), min_size=2, max_size=6))
def test_going_on_after_failures_arrives_at_the_template(
    new_account: Any, thing: Any, steps: list[Any]
) -> None:
    """With rollback off, each deployment goes on from where the last one failed; the last one does not."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), Path(folder))
        account = new_account(world)
        for template, failures in steps:
            account.shelf.failing = failures
            _deploy(account, _resources(thing, template), DisableRollback=True)
        account.shelf.failing = set()
        template = steps[-1][0]
        assert _deploy(account, _resources(thing, template)) in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        assert _standing(account) == template
        account.delete_stack(StackName="s")
        assert account.shelf.things == {}
        world.close()


@given(_templates(), st.sets(st.sampled_from(_NAMES)))
def test_a_graph_is_worked_through_in_order(template: dict[str, dict[str, Any]], failing: set[str]) -> None:
    """Each node once, after all it needs; what needs a failed one is left out."""
    needs = {node: set(wanted["uses"]) for node, wanted in template.items()}
    done: list[str] = []

    def work(node: str) -> bool:
        assert needs[node] <= set(done)
        if node in failing:
            return False
        done.append(node)
        return True

    run_in_order(needs, work)

    assert len(done) == len(set(done))
    reachable = {node for node in needs if node not in failing and needs[node] <= set(done)}
    assert set(done) == reachable


@pytest.mark.parametrize("failing", ["A", "C"])
def test_nothing_new_starts_once_halted(failing: str) -> None:
    """The first failure of a deployment stops what has not begun."""
    started: list[str] = []

    def work(node: str) -> bool:
        started.append(node)
        return node != failing

    run_in_order({"A": [], "B": ["A"], "C": ["B"], "D": ["C"]}, work, halted=lambda: failing in started)

    assert started == list("ABCD"[: "ABCD".index(failing) + 1])
