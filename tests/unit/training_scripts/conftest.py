"""The training scripts' parts in this process, and whole scripts in the environments of their jobs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import contract
from atelier import embedded
from localaws.sagemaker.environments import Environments

SCRIPTS = embedded.ROOT / "training_scripts"
CONTAINERS = ("SM_", "SAGEMAKER_", "TRAINING_JOB_NAME", "RANK", "LOCAL_RANK", "WORLD_SIZE")
INTERPRETERS = ("PYTHON", "VIRTUAL_ENV")


@pytest.fixture(autouse=True)
def by_hand(tmp_path, monkeypatch):
    """A folder of its own as the current one, none of a container's variables, nothing reported before."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(CONTAINERS):
            monkeypatch.delenv(name)
    monkeypatch.setattr(contract, "_parameters", {})
    monkeypatch.setattr(contract, "_metrics", {})
    return tmp_path


@pytest.fixture
def load():
    """A module of a script's folder, which finds its neighbours there as if it were run."""

    def module(script, name):
        folder = SCRIPTS / script
        spec = importlib.util.spec_from_file_location(f"{script}_{name}", folder / f"{name}.py")
        loaded = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # dataclasses look there
        sys.path.insert(0, str(folder))
        try:
            spec.loader.exec_module(loaded)
        finally:
            sys.path.remove(str(folder))
        return loaded

    return module


@dataclass
class Job:
    """A script, the interpreter of its environment, and a folder to run it in."""

    script: str
    python: Path
    folder: Path

    def write_example(self):
        """The data that its example.py makes."""
        self._run(sys.executable, SCRIPTS / self.script / "example.py", "data")

    def train(self, *arguments, code=0, **variables):
        """Run train.py as a person would; its log, once it has ended with `code`."""
        return self._run(
            self.python, SCRIPTS / self.script / "train.py", *arguments, code=code, variables=variables
        )

    def prepare(self, *arguments):
        """Run prepare.py on the example's data."""
        self._run(sys.executable, SCRIPTS / self.script / "prepare.py", *arguments)

    def train_on_a_full_disk(self, folder, *arguments):
        """Run train.py with a folder of its own file system, which is full at once; the files left there.

        In a mount namespace of its own, as the embedded AWS runs jobs.
        """
        (self.folder / folder).mkdir()
        program = SCRIPTS / self.script / "train.py"
        # A page for a file's content is all there is; the folder itself takes none.
        full = f"mount -t tmpfs -o size=4k,nr_inodes=100 tmpfs {folder}"
        steps = f'{full} && {{ "$@"; code=$?; }}; find {folder} > left; exit $code'
        start = ("unshare", "--map-root-user", "--mount", "sh", "-c", steps, "sh")
        self._run(*start, self.python, program, *arguments, code=contract.PlatformError.exit_code)
        return (self.folder / "left").read_text(encoding="utf-8").split()[1:]

    def torchrun(self, processes, *arguments, code=0):
        """Run train.py in several processes of this machine."""
        start = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}")
        program = SCRIPTS / self.script / "train.py"
        return self._run(self.python, *start, program, *arguments, code=code)

    def evaluate(self, code, *arguments):
        """What a program prints as JSON that runs beside the script's own modules."""
        setup = f"import sys; sys.path.insert(0, {str(SCRIPTS / self.script)!r})\n"
        return json.loads(self._run(self.python, "-c", setup + code, *arguments).splitlines()[-1])

    def _run(self, *command, code=0, variables=None):
        foreign = CONTAINERS + INTERPRETERS
        environment = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        # Tests run side by side: one thread each is faster than all of them for all of them.
        environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **(variables or {})}
        result = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout

    @property
    def failure(self):
        """What the run wrote into output/failure."""
        return (self.folder / "output" / "failure").read_text(encoding="utf-8")

    @property
    def manifest(self):
        """The manifest of the model."""
        return json.loads((self.folder / "model" / "manifest.json").read_text(encoding="utf-8"))

    def model_files(self):
        """What lies in the model folder."""
        folder = self.folder / "model"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def job(tmp_path):
    """A job of a script, in the environment that its requirements.txt asks for, built once."""

    def prepared(script):
        requirements = (SCRIPTS / script / "requirements.txt").read_text(encoding="utf-8")
        cache = embedded.STATE / "cache"
        return Job(script, Environments(cache).python(requirements, lambda _: None), tmp_path)

    return prepared
