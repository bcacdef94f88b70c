"""Exports: what one stack gives and others use."""

from typing import Any

import pytest

from localaws.service import AwsError


def _exporting(value: str, name: str = "shared") -> dict[str, Any]:
    return {"Outputs": {"O": {"Value": value, "Export": {"Name": name}}}}


_IMPORTED = {"Fn::ImportValue": "shared"}


def test_a_stack_uses_what_another_exports(account: Any, thing: Any) -> None:
    """The value arrives, and both sides are listed."""
    account.create({"A": thing()}, "giver", **_exporting("42"))
    account.create({"B": thing(size=_IMPORTED)}, "user")

    assert account.shelf.things[account.physical("B", "user")]["Size"] == "42"
    assert account.list_imports(ExportName="shared")["Imports"] == ["user"]
    exports = account.list_exports()["Exports"]
    assert [(found["Name"], found["Value"]) for found in exports] == [("shared", "42")]


def test_an_export_in_use_is_neither_changed_nor_deleted(account: Any, thing: Any) -> None:
    """The update goes back, the deletion stops before it touches anything; both name the user."""
    account.create({"A": thing(size=1)}, "giver", **_exporting("42"))
    account.create({"B": thing(size=_IMPORTED)}, "user")

    account.update({"A": thing(size=2)}, "giver", **_exporting("43"))
    assert account.status("giver") == "UPDATE_ROLLBACK_COMPLETE"
    told = [
        reason for _, status, reason in account.events("giver") if status == "UPDATE_ROLLBACK_IN_PROGRESS"
    ]
    assert told == ["Export shared cannot be updated as it is in use by user"]
    assert account.shelf.things[account.physical("A", "giver")]["Size"] == 1

    account.delete_stack(StackName="giver")
    assert account.status("giver") == "DELETE_FAILED"
    assert "shared cannot be deleted as it is in use by user" in account.stack("giver")["StackStatusReason"]
    assert account.physical("A", "giver") in account.shelf.things

    account.delete_stack(StackName="user")
    account.delete_stack(StackName="giver")
    assert account.shelf.things == {}


def test_a_name_is_exported_by_one_stack_only(account: Any, thing: Any) -> None:
    """The second stack is rolled back, with the first one's name."""
    account.create({"A": thing()}, "one", **_exporting("1"))

    stack = account.create({"A": thing()}, "two", **_exporting("2"))

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    told = [reason for _, status, reason in account.events("two") if status == "ROLLBACK_IN_PROGRESS"]
    assert told[0].startswith("Export with name shared is already exported by stack one.")


def test_a_missing_export_fails_what_needs_it(account: Any, thing: Any) -> None:
    """In AWS's words."""
    account.create({"B": thing(size=_IMPORTED)}, "user")

    assert ("B", "CREATE_FAILED", "No export named shared found") in account.events("user")


def test_an_export_that_is_gone_no_longer_binds(account: Any, thing: Any) -> None:
    """A user that stops using it sets it free."""
    account.create({"A": thing()}, "giver", **_exporting("42"))
    account.create({"B": thing(size=_IMPORTED)}, "user")
    account.update({"B": thing(size=1)}, "user")

    assert account.update({"A": thing()}, "giver", **_exporting("43"))["StackStatus"] == "UPDATE_COMPLETE"
    with pytest.raises(AwsError, match="is not imported by any stack"):
        account.list_imports(ExportName="shared")


def test_an_output_alone_is_a_change(account: Any, thing: Any) -> None:
    """A new export must reach AWS although no resource changes."""
    account.create({"A": thing()}, "giver")

    assert account.update({"A": thing()}, "giver", **_exporting("42"))["StackStatus"] == "UPDATE_COMPLETE"


def test_an_output_is_read_without_being_held(account: Any, thing: Any) -> None:
    """Fn::GetStackOutput gives what is there when the stack is made; afterwards it may change or go."""
    account.create({"A": thing(size=1)}, "giver", Outputs={"O": {"Value": "42"}})
    read = {"Fn::GetStackOutput": {"StackName": "giver", "OutputName": "O"}}
    account.create({"B": thing(size=read)}, "user")
    assert account.shelf.things[account.physical("B", "user")]["Size"] == "42"

    account.update({"A": thing(size=1)}, "giver", Outputs={"O": {"Value": "43"}})
    assert account.status("giver") == "UPDATE_COMPLETE"
    account.update({"B": thing(size=read), "C": thing()}, "user")
    assert account.shelf.things[account.physical("B", "user")]["Size"] == "43"

    account.delete_stack(StackName="giver")
    assert account.physical("B", "user") in account.shelf.things


def test_an_output_that_is_not_there_fails_the_stack(account: Any, thing: Any) -> None:
    """With the names of both."""
    account.create({"A": thing()}, "giver")
    read = {"Fn::GetStackOutput": {"StackName": "giver", "OutputName": "O"}}
    stack = account.create({"B": thing(size=read)}, "user")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("Output O" in (reason or "") for _, _, reason in account.events("user"))
