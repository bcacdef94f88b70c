"""Which instance types bring disks of their own."""

from __future__ import annotations

import re

# NVMe disks encrypt themselves with a key that never leaves them: SageMaker refuses a KMS key for them.
# A `d` after the generation stands for disks (m5d, c6id, p4de, p3dn, g4dn); newer accelerators all have some.
_LOCAL_DISKS = re.compile(
    r"ml\.([a-z]+\d+[a-z]*d[a-z]*|g[5-9][a-z]*|gr\d+[a-z]*|p[5-9][a-z0-9-]*|trn\d+[a-z]*|dl1)\..+"
)


def has_local_disks(instance_type: str) -> bool:
    """Whether an instance type stores its volume on NVMe disks of its own."""
    return _LOCAL_DISKS.fullmatch(instance_type) is not None
