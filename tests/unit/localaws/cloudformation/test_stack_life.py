"""A stack's life: made in order, changed in place or by replacement, rolled back, deleted."""

import threading
from typing import Any

import pytest

from localaws.service import AwsError


def _sizes(account: Any) -> dict[str, Any]:
    """What stands on the shelf, by the logical ID in its physical id."""
    return {physical.split("-")[1]: held.get("Size") for physical, held in account.shelf.things.items()}


def test_resources_are_made_after_what_they_need(account: Any, thing: Any) -> None:
    """Ref, Fn::GetAtt, Fn::Sub and DependsOn each put a resource after another."""
    stack = account.create(
        {
            "E": thing(size=1, DependsOn=["D"]),
            "D": thing(size={"Fn::Sub": "${C.Size}!"}),
            "C": thing(size={"Fn::GetAtt": ["B", "Size"]}),
            "B": thing(size=7, uses=[{"Ref": "A"}]),
            "A": thing(),
        },
        Outputs={"O": {"Value": {"Fn::GetAtt": "D.Deep.Er"}}},
    )

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert account.shelf.log == [("create", name) for name in "ABCDE"]
    assert _sizes(account) == {"A": None, "B": 7, "C": 7, "D": "7!", "E": 1}
    assert stack["Outputs"][0]["OutputValue"] == "down"


def test_independent_resources_are_made_at_the_same_time(account: Any, thing: Any) -> None:
    """Five resources that wait for each other can only be made together."""
    account.shelf.meeting = threading.Barrier(5)

    assert account.create({f"R{number}": thing() for number in range(5)})["StackStatus"] == "CREATE_COMPLETE"


def test_the_events_are_those_that_cloudformation_tells(account: Any, thing: Any) -> None:
    """The CDK command prints them: statuses and reasons are AWS's."""
    account.create({"A": thing(size=1)})

    assert account.events() == [
        ("s", "CREATE_IN_PROGRESS", "User Initiated"),
        ("A", "CREATE_IN_PROGRESS", ""),
        ("A", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("A", "CREATE_COMPLETE", ""),
        ("s", "CREATE_COMPLETE", ""),
    ]


def test_only_what_changed_is_updated(account: Any, thing: Any) -> None:
    """A changed property is changed in place; the neighbour is not touched."""
    account.create({"A": thing(size=1), "B": thing(size=1)})
    before = account.physical("A")
    account.shelf.log.clear()

    account.update({"A": thing(size=2), "B": thing(size=1)})

    assert account.shelf.log == [("update", "A")]
    assert account.physical("A") == before
    assert account.status() == "UPDATE_COMPLETE"


def test_a_replacement_is_made_first_and_the_old_one_deleted_last(account: Any, thing: Any) -> None:
    """Users are led to the new resource before the old one goes."""
    account.create({"A": thing(name="x"), "B": thing(uses=[{"Ref": "A"}])})
    old = account.physical("A")
    account.shelf.log.clear()

    account.update({"A": thing(name="y"), "B": thing(uses=[{"Ref": "A"}])})

    assert account.shelf.log == [("create", "A"), ("update", "B"), ("delete", "A")]
    assert account.physical("A") != old
    assert old not in account.shelf.things
    statuses = [event for event in account.events() if event[0] == "A" or "CLEANUP" in event[1]][3:]
    assert statuses == [
        (
            "A",
            "UPDATE_IN_PROGRESS",
            "Requested update requires the creation of a new physical resource; hence creating one.",
        ),
        ("A", "UPDATE_IN_PROGRESS", "Resource creation Initiated"),
        ("A", "UPDATE_COMPLETE", ""),
        ("s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        ("A", "DELETE_IN_PROGRESS", ""),
        ("A", "DELETE_COMPLETE", ""),
    ]


@pytest.mark.parametrize(
    ("policies", "left"),
    [({}, 1), ({"UpdateReplacePolicy": "Retain"}, 2), ({"DeletionPolicy": "Retain"}, 1)],
)
def test_a_replaced_resource_is_kept_if_its_policy_says_so(
    account: Any, thing: Any, policies: dict[str, str], left: int
) -> None:
    """UpdateReplacePolicy, not DeletionPolicy, speaks for a replaced resource."""
    account.create({"A": thing(name="x", **policies)})

    account.update({"A": thing(name="y", **policies)})

    assert len(account.shelf.things) == left


@pytest.mark.parametrize(("policy", "left"), [("Delete", 1), ("Retain", 2), ("RetainExceptOnCreate", 2)])
def test_a_removed_resource_goes_or_stays_by_its_policy(
    account: Any, thing: Any, policy: str, left: int
) -> None:
    """DeletionPolicy speaks for a resource that the template no longer has."""
    account.create({"A": thing(DeletionPolicy=policy), "B": thing()})

    account.update({"B": thing()})

    assert len(account.shelf.things) == left


def test_an_update_without_a_change_is_refused(account: Any, thing: Any) -> None:
    """In AWS's words, which clients look for."""
    account.create({"A": thing(size=1)})

    with pytest.raises(AwsError, match=r"^No updates are to be performed\.$"):
        account.update({"A": thing(size=1)})


def test_a_failed_creation_is_rolled_back(account: Any, thing: Any) -> None:
    """What was made is deleted, users first; the reasons name what failed."""
    account.shelf.failing.add(("create", "C"))

    stack = account.create({"A": thing(), "B": thing(uses=[{"Ref": "A"}]), "C": thing(uses=[{"Ref": "B"}])})

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert account.shelf.things == {}
    assert ("C", "CREATE_FAILED", "C cannot create") in account.events()
    assert (
        "s",
        "ROLLBACK_IN_PROGRESS",
        "The following resource(s) failed to create: [C]. Rollback requested by user.",
    ) in account.events()


def test_a_failed_creation_can_delete_the_stack(account: Any, thing: Any) -> None:
    """OnFailure=DELETE leaves nothing."""
    account.shelf.failing.add(("create", "A"))
    account.create_stack(StackName="s", OnFailure="DELETE", **account._request({"A": thing()}, {}))

    with pytest.raises(AwsError, match="Stack with id s does not exist"):
        account.stack()


def test_a_failed_update_leaves_the_old_state(account: Any, thing: Any) -> None:
    """Changed, replaced, added and removed resources all are as before; a later update works."""
    old = {"A": thing(size=1), "B": thing(name="x"), "C": thing()}
    new = {"A": thing(size=2), "B": thing(name="y"), "D": thing(), "E": thing(DependsOn=["A", "B", "D"])}
    account.create(old, Outputs={"O": {"Value": "old"}})
    before = dict(account.shelf.things)
    account.shelf.failing.add(("create", "E"))

    stack = account.update(new, Outputs={"O": {"Value": "new"}})

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert account.shelf.things == before
    assert stack["Outputs"][0]["OutputValue"] == "old"
    assert "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" in [event[1] for event in account.events()]
    assert '"D"' not in account.get_template(StackName="s")["TemplateBody"]
    account.shelf.failing.clear()
    assert account.update(new)["StackStatus"] == "UPDATE_COMPLETE"
    assert _sizes(account) == {"A": 2, "B": None, "D": None, "E": None}


def test_a_resource_made_by_a_failed_update_stays_if_it_is_to_be_retained(account: Any, thing: Any) -> None:
    """As on AWS: Retain outlasts a rollback, RetainExceptOnCreate does not."""
    account.create({"A": thing()})
    account.shelf.failing.add(("create", "D"))

    account.update(
        {
            "A": thing(),
            "B": thing(DeletionPolicy="Retain"),
            "C": thing(DeletionPolicy="RetainExceptOnCreate"),
            "D": thing(DependsOn=["B", "C"]),
        }
    )

    assert set(_sizes(account)) == {"A", "B"}


def test_a_rollback_that_fails_can_be_continued(account: Any, thing: Any) -> None:
    """The resource that cannot go back is named; it is tried again, or skipped."""
    account.create({"A": thing(size=1), "B": thing(size=1)})
    account.shelf.failing |= {("update", "A")}
    account.update({"A": thing(size=2), "B": thing(size=2)})

    stack = account.stack()
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert "failed to update: [A]" in stack["StackStatusReason"]
    account.continue_update_rollback(StackName="s", ResourcesToSkip=["A"])

    assert account.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert _sizes(account)["B"] == 1


def test_without_rollback_a_failed_update_can_go_on_or_back(account: Any, thing: Any) -> None:
    """--no-rollback keeps what was done; the next deployment goes on from there, RollbackStack goes back."""
    account.create({"A": thing(size=1)})
    account.shelf.failing.add(("create", "B"))
    new = {"A": thing(size=2), "B": thing(DependsOn="A")}

    assert account.update(new, DisableRollback=True)["StackStatus"] == "UPDATE_FAILED"
    assert _sizes(account) == {"A": 2}
    account.rollback_stack(StackName="s")
    assert account.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert _sizes(account) == {"A": 1}

    account.update(new, DisableRollback=True)
    account.shelf.failing.clear()
    assert account.update(new)["StackStatus"] == "UPDATE_COMPLETE"
    assert _sizes(account) == {"A": 2, "B": None}


def test_without_rollback_a_failed_creation_can_go_on_or_back(account: Any, thing: Any) -> None:
    """The same for a stack that never was complete."""
    resources = {"A": thing(size=1), "B": thing(DependsOn="A")}
    account.shelf.failing.add(("create", "B"))

    assert account.create(resources, DisableRollback=True)["StackStatus"] == "CREATE_FAILED"
    account.shelf.failing.clear()
    assert account.update(resources)["StackStatus"] == "UPDATE_COMPLETE"
    assert set(_sizes(account)) == {"A", "B"}

    account.shelf.failing.add(("create", "B"))
    account.create(resources, name="t", DisableRollback=True)
    account.rollback_stack(StackName="t")
    assert account.status("t") == "ROLLBACK_COMPLETE"


def test_a_value_that_cannot_be_had_fails_its_resource(account: Any, thing: Any) -> None:
    """An attribute that a type lacks is named, with those that it has."""
    stack = account.create({"A": thing(), "B": thing(size={"Fn::GetAtt": ["A", "Colour"]})})

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = [
        reason for name, status, reason in account.events() if (name, status) == ("B", "CREATE_FAILED")
    ]
    assert "does not support attribute type Colour" in reasons[0]


def test_a_stack_is_deleted_users_first(account: Any, thing: Any) -> None:
    """And then is found by its id only."""
    stack_id = account.create({"A": thing(), "B": thing(uses=[{"Ref": "A"}])})["StackId"]

    account.delete_stack(StackName="s")

    assert account.shelf.log[2:] == [("delete", "B"), ("delete", "A")]
    assert account.status(stack_id) == "DELETE_COMPLETE"
    with pytest.raises(AwsError, match="Stack with id s does not exist"):
        account.stack()


def test_a_deletion_that_fails_names_the_resource_and_can_be_retried(account: Any, thing: Any) -> None:
    """What the failed resource uses is left; the retry may retain it."""
    stack_id = account.create({"A": thing(), "B": thing(uses=[{"Ref": "A"}]), "C": thing()})["StackId"]
    account.shelf.failing.add(("delete", "B"))

    account.delete_stack(StackName="s")
    assert account.status() == "DELETE_FAILED"
    assert account.stack()["StackStatusReason"] == "The following resource(s) failed to delete: [B]. "
    assert set(_sizes(account)) == {"A", "B"}

    account.shelf.failing = {("delete", "A")}
    account.delete_stack(StackName="s", RetainResources=["A"])
    assert account.status(stack_id) == "DELETE_COMPLETE"
    assert set(_sizes(account)) == {"A"}


def test_a_stack_keeps_what_is_to_be_retained(account: Any, thing: Any) -> None:
    """DeletionPolicy: Retain outlasts its stack, and is told as skipped."""
    stack_id = account.create({"A": thing(DeletionPolicy="Retain"), "B": thing()})["StackId"]

    account.delete_stack(StackName="s")

    assert set(_sizes(account)) == {"A"}
    assert ("A", "DELETE_SKIPPED", "") in account.events(stack_id)


def test_a_protected_stack_is_not_deleted(account: Any, thing: Any) -> None:
    """Until the protection is lifted."""
    stack_id = account.create({"A": thing()}, EnableTerminationProtection=True)["StackId"]
    with pytest.raises(AwsError, match="TerminationProtection is enabled"):
        account.delete_stack(StackName="s")

    account.update_termination_protection(StackName="s", EnableTerminationProtection=False)
    account.delete_stack(StackName="s")

    assert account.status(stack_id) == "DELETE_COMPLETE"


def test_a_creation_under_way_can_be_deleted(account: Any, thing: Any, wait_until: Any) -> None:
    """What has begun ends, nothing more is made, and nothing is left: Ctrl-C and `cdk destroy`."""
    account.shelf.meeting = threading.Barrier(2)
    request = account._request({"A": thing(), "B": thing(DependsOn="A")}, {})
    creating = threading.Thread(target=lambda: account.create_stack(StackName="s", **request))
    creating.start()
    wait_until(lambda: account.shelf.log)
    stack = account.api.engine.store.find(account.call, "s")
    account.delete_stack(StackName="s")
    meeting, account.shelf.meeting = account.shelf.meeting, None
    meeting.wait(5)
    creating.join()

    wait_until(lambda: stack.status == "DELETE_COMPLETE")
    assert account.shelf.things == {}
    assert ("create", "B") not in account.shelf.log


def test_a_change_of_the_stacks_tags_reaches_the_resources(account: Any, thing: Any) -> None:
    """Tags are no property of the template, and yet each resource that takes tags is updated."""
    resources = {"A": thing(size=1)}
    account.create(resources, Tags=[{"Key": "team", "Value": "vision"}])

    account.update(resources, Tags=[{"Key": "team", "Value": "audio"}])

    assert account.shelf.tags[account.physical("A")] == {"team": "audio"}


def test_conditions_decide_what_there_is(account: Any, thing: Any) -> None:
    """A resource whose condition fails is not made, and removed when it fails later."""
    resources = {"A": thing(), "B": thing(Condition="Large"), "C": thing(DependsOn="B")}
    sections = {
        "Parameters_": {"Size": {"Type": "String"}},
        "Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
        "Outputs": {"B": {"Value": {"Ref": "B"}, "Condition": "Large"}},
    }

    def size(value: str) -> Any:
        return {**sections, "Parameters": [{"ParameterKey": "Size", "ParameterValue": value}]}

    assert account.create(resources, **size("small"))["Outputs"] == []
    assert set(_sizes(account)) == {"A", "C"}
    assert len(account.update(resources, **size("large"))["Outputs"]) == 1
    assert set(_sizes(account)) == {"A", "B", "C"}
    account.update(resources, **size("small"))
    assert set(_sizes(account)) == {"A", "C"}


def test_an_added_resource_never_meets_a_retained_one_of_its_name(account: Any, thing: Any) -> None:
    """Each incarnation has a name of its own, also after one was left behind."""
    kept = thing(DeletionPolicy="Retain")
    account.create({"A": kept, "B": thing()})
    account.update({"B": thing()})

    assert account.update({"A": kept, "B": thing()})["StackStatus"] == "UPDATE_COMPLETE"
    assert len(account.shelf.things) == 3


def test_an_update_can_be_cancelled(account: Any, thing: Any, wait_until: Any) -> None:
    """What has begun ends, then the stack goes back."""
    account.create({"A": thing(size=1), "B": thing(size=1, DependsOn="A")})
    account.shelf.meeting = threading.Barrier(2)
    request = account._request({"A": thing(size=2), "B": thing(size=2, DependsOn="A")}, {})
    updating = threading.Thread(target=lambda: account.update_stack(StackName="s", **request))
    updating.start()
    wait_until(lambda: ("update", "A") in account.shelf.log)
    account.cancel_update_stack(StackName="s")
    meeting, account.shelf.meeting = account.shelf.meeting, None
    meeting.wait(5)
    updating.join()

    assert account.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert _sizes(account) == {"A": 1, "B": 1}
    assert ("update", "B") not in account.shelf.log
