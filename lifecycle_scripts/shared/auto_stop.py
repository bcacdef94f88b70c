"""Stops the notebook instance on which it runs when nobody has used Jupyter for the given minutes.

Runs every few minutes, with the Python of the system: standard library only, from version 3.9 on.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("LIFECYCLE_ROOT") or "/")
JUPYTER = os.environ.get("ATELIER_JUPYTER", "https://localhost:8443")
TIMEOUT_SECONDS = 20


def ask(path: str) -> Any:
    """What Jupyter's API answers; without the parameter, to ask would itself count as a use of Jupyter."""
    context = ssl.create_default_context()
    # Jupyter signs its certificate itself; it listens on this machine alone.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    url = f"{JUPYTER}{path}?no_track_activity=1"
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310 - http(s) only, see JUPYTER
        return json.load(answer)


def last_use() -> datetime:
    """When Jupyter, a kernel or a terminal was last used; now, while a kernel is at work."""
    kernels = ask("/api/kernels")
    if any(kernel["execution_state"] == "busy" for kernel in kernels):
        return datetime.now(timezone.utc)
    used = [ask("/api/status"), *kernels, *ask("/api/terminals")]
    return max(datetime.fromisoformat(one["last_activity"].replace("Z", "+00:00")) for one in used)


def stop() -> None:
    """Stop this notebook instance; what is on its volume stays."""
    metadata = json.loads((ROOT / "opt/ml/metadata/resource-metadata.json").read_text())
    region = metadata["ResourceArn"].split(":")[3]
    command = ["aws", "sagemaker", "stop-notebook-instance", "--region", region]
    subprocess.run([*command, "--notebook-instance-name", metadata["ResourceName"]], check=True)


def main() -> None:
    """Stop when as many minutes as the one argument says have passed without any use."""
    try:
        idle = datetime.now(timezone.utc) - last_use()
    except OSError as error:
        print(f"Jupyter does not answer, perhaps not yet: {error}")
        return
    print(f"idle for {idle}")
    if idle >= timedelta(minutes=int(sys.argv[1])):
        stop()


if __name__ == "__main__":
    main()
