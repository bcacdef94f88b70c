"""How long Studio takes, and that it stops when the server does."""

from __future__ import annotations

import threading

from localaws.sagemaker.studio.catalog import Catalog, Staged
from localaws.sagemaker.studio.durations import PACE, Durations
from localaws.service import Call
from localaws.world import World


def test_the_environment_sets_the_pace(monkeypatch):
    """Of all durations alike."""
    monkeypatch.setenv(PACE, "2")
    assert Durations.from_environment().app_start == Durations().app_start * 2
    monkeypatch.delenv(PACE)
    assert Durations.from_environment() == Durations()


def test_nothing_goes_on_after_the_end(tmp_path):
    """A status that was to come does not come, and no thread is left to bring it."""
    world = World(tmp_path, tmp_path)
    catalog = Catalog(world)
    record = Staged(Call("111122223333", "eu-west-1"), "a", "arn", {})
    catalog.settle(record, 0.05)
    assert "studio" in {thread.name for thread in threading.enumerate()}
    before = {thread.ident for thread in threading.enumerate() if thread.name == "studio"}
    catalog.stop()
    world.close()
    after = {thread.ident for thread in threading.enumerate() if thread.name == "studio"}
    assert len(after) == len(before) - 1
    assert record.status == "Pending"
