"""What runs a function: the command and environment of a worker, by the function's runtime."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from localaws.service import NotEmulated

_HERE = Path(__file__).parent
# The libraries that AWS's own Python runtimes bring; a function that needs more must carry it.
_BUNDLED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


class Runtimes:
    """The languages that this machine can run; `root` holds what their workers find beside them."""

    def __init__(self, root: Path) -> None:
        self._libraries = root / "python"
        self._libraries.mkdir(parents=True, exist_ok=True)
        for name in _BUNDLED:
            _link(self._libraries, name, _location(name))
        # Node looks for packages in each folder above a module: this one is above every task root.
        _link(root, "node_modules", _node_modules())

    def command(self, runtime: str) -> Sequence[str]:
        """The start of a worker's command line; raises NotEmulated for what cannot run here."""
        if re.fullmatch(r"python3\.\d+", runtime):
            # No site-packages (-S), no script folder first on the path (-P): as bare as on AWS, and quick.
            return [sys.executable, "-S", "-P", str(_HERE / "bootstrap.py")]
        if re.fullmatch(r"nodejs\d+\.x", runtime):
            return [_node(runtime), str(_HERE / "bootstrap.cjs")]
        raise NotEmulated(f"The Lambda runtime {runtime}")

    def environment(self, runtime: str) -> dict[str, str]:
        """What every function of this runtime finds in its environment, and may set otherwise."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
            "LAMBDA_RUNTIME_DIR": str(self._libraries),
        }


def _location(name: str) -> Path | None:
    """The package's folder, or the module's file."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def _link(folder: Path, name: str, target: Path | None) -> None:
    if target is None:
        return
    link = folder / (name + target.suffix if target.is_file() else name)
    link.unlink(missing_ok=True)
    link.symlink_to(target.resolve())


def _node_modules() -> Path | None:
    """Where CDK's handlers find the AWS SDK: NODE_PATH, or the nearest node_modules above here."""
    named = [Path(entry) for entry in os.environ.get("NODE_PATH", "").split(os.pathsep) if entry]
    above = [folder / "node_modules" for folder in (Path.cwd(), *Path.cwd().parents)]
    return next((path for path in (*named, *above) if path.is_dir()), None)


def _node(runtime: str) -> str:
    # A Node that came as a Python package lies beside the interpreter.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    node = shutil.which("node", path=path)
    if node is None:
        raise NotEmulated(
            f"The Lambda runtime {runtime} on a machine without `node` on PATH (install Node 22+)"
        )
    return node
