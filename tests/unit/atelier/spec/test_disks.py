"""Which instance types take no KMS key for their volume."""

from __future__ import annotations

import pytest

from atelier.spec.disks import has_local_disks

ACCELERATED = "g4dn g5 g6 g6e gr6 p3dn p4d p4de p5 p5en p6-b200 trn1 trn1n"
GENERAL = "m5d c5d r5d c6id m7gd m5dn"


@pytest.mark.parametrize("family", f"{ACCELERATED} {GENERAL}".split())
def test_types_with_disks_of_their_own(family):
    """NVMe disks are encrypted by hardware; SageMaker refuses a key for them."""
    assert has_local_disks(f"ml.{family}.12xlarge")


@pytest.mark.parametrize("family", ["m5", "c5", "c5n", "r5", "t3", "p2", "p3", "inf1", "inf2", "m6g", "c7i"])
def test_types_with_volumes(family):
    """Everything else has a volume, which is encrypted with the team's key."""
    assert not has_local_disks(f"ml.{family}.2xlarge")
