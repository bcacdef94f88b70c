"""`python <this folder> train|serve FOLDER`: what stands for a container's entry point.

Runs in the environment of the job, which knows nothing of this project: the package is loaded from its place
under a name of its own, so that no module of it can be taken for one of the user's.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "localaws_container"


def main() -> int:
    """Run the entry point that the first argument names."""
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, HERE / "__init__.py", submodule_search_locations=[str(HERE)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{HERE} is no package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    entry = importlib.import_module(f"{PACKAGE}.{sys.argv[1]}")
    code: int = entry.main(Path(sys.argv[2]))
    return code


if __name__ == "__main__":
    sys.exit(main())
