"""Change sets: what they tell, and that executing them does just that."""

from typing import Any

import pytest

from localaws.service import AwsError


def _change_set(account: Any, resources: dict[str, Any], **more: Any) -> Any:
    request = account._request(resources, more)
    made = account.create_change_set(StackName="s", ChangeSetName="c", **request)
    return account.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True)


def _changes(found: Any) -> dict[str, tuple[str, str | None]]:
    return {
        change["ResourceChange"]["LogicalResourceId"]: (
            change["ResourceChange"]["Action"],
            change["ResourceChange"]["Replacement"],
        )
        for change in found["Changes"]
    }


def test_a_new_stack_waits_in_review_until_its_change_set_is_executed(account: Any, thing: Any) -> None:
    """Nothing is made before; the CDK command deploys so."""
    found = _change_set(account, {"A": thing()}, ChangeSetType="CREATE")
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert _changes(found) == {"A": ("Add", None)}
    assert account.status() == "REVIEW_IN_PROGRESS"
    assert account.shelf.things == {}

    account.execute_change_set(ChangeSetName=found["ChangeSetId"])

    assert account.status() == "CREATE_COMPLETE"
    assert len(account.shelf.things) == 1


def test_a_change_set_tells_what_is_replaced_and_what_follows(account: Any, thing: Any) -> None:
    """In place, by replacement, perhaps by replacement (an unknown name), added, removed, untouched."""
    account.create(
        {
            "Same": thing(size=1),
            "Changed": thing(size=1),
            "Replaced": thing(name="x"),
            "Follower": thing(name={"Ref": "Replaced"}),
            "Removed": thing(),
        }
    )

    found = _change_set(
        account,
        {
            "Same": thing(size=1),
            "Changed": thing(size=2),
            "Replaced": thing(name="y"),
            "Follower": thing(name={"Ref": "Replaced"}),
            "New": thing(),
        },
    )

    assert _changes(found) == {
        "Changed": ("Modify", "False"),
        "Replaced": ("Modify", "True"),
        "Follower": ("Modify", "Conditional"),
        "New": ("Add", None),
        "Removed": ("Remove", None),
    }
    replaced = next(
        change["ResourceChange"]
        for change in found["Changes"]
        if change["ResourceChange"]["LogicalResourceId"] == "Replaced"
    )
    assert replaced["PolicyAction"] == "ReplaceAndDelete"
    assert replaced["Details"][0]["Target"]["RequiresRecreation"] == "Always"
    assert (replaced["BeforeContext"], replaced["AfterContext"]) == (
        '{"Properties": {"Name": "x"}}',
        '{"Properties": {"Name": "y"}}',
    )


def test_a_change_set_without_changes_fails_in_awss_words(account: Any, thing: Any) -> None:
    """The CDK command knows by them that there is nothing to deploy."""
    account.create({"A": thing()})

    found = _change_set(account, {"A": thing()})

    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")
    with pytest.raises(AwsError, match="cannot be executed"):
        account.execute_change_set(ChangeSetName=found["ChangeSetId"])


def test_what_must_not_be_echoed_is_hidden(account: Any, thing: Any) -> None:
    """A NoEcho parameter's value shows in no description, yet reaches the resource."""
    declared = {"Secret": {"Type": "String", "NoEcho": True}}
    found = _change_set(
        account,
        {"A": thing(size={"Ref": "Secret"})},
        Parameters_=declared,
        Parameters=[{"ParameterKey": "Secret", "ParameterValue": "hunter2"}],
        ChangeSetType="CREATE",
    )
    account.execute_change_set(ChangeSetName=found["ChangeSetId"])

    assert "hunter2" not in str(found)
    assert "hunter2" not in str(account.stack())
    assert account.shelf.things[account.physical("A")]["Size"] == "hunter2"


def test_a_deleted_change_set_is_gone(account: Any, thing: Any) -> None:
    """Deleting it twice is no error; describing it is one that the CDK command knows."""
    account.create({"A": thing(size=1)})
    found = _change_set(account, {"A": thing(size=2)})

    for _ in range(2):
        account.delete_change_set(StackName="s", ChangeSetName="c")

    with pytest.raises(AwsError) as missing:
        account.describe_change_set(StackName="s", ChangeSetName=found["ChangeSetId"])
    assert missing.value.code == "ChangeSetNotFound"
    assert account.list_change_sets(StackName="s")["Summaries"] == []


def test_a_stack_in_review_can_be_deleted(account: Any, thing: Any) -> None:
    """`cdk diff` of a new stack cleans up so."""
    found = _change_set(account, {"A": thing()}, ChangeSetType="CREATE")

    account.delete_stack(StackName="s")

    assert account.status(found["StackId"]) == "DELETE_COMPLETE"
    assert account.create({"A": thing()})["StackStatus"] == "CREATE_COMPLETE"
