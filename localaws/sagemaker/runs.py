"""What every run of a job shares: its thread, folder, log, environment and containers, and a sure end."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from localaws.sagemaker.container import bounds
from localaws.sagemaker.crew import Crew, write_hosts
from localaws.sagemaker.environments import BuildFailed, Stopped
from localaws.sagemaker.images import Program
from localaws.sagemaker.jobs import Job, JobFailed
from localaws.sagemaker.logs import LogStream
from localaws.sagemaker.network import Membership, VpcConfig
from localaws.sagemaker.process import Container, base_environment
from localaws.sagemaker.records import now
from localaws.sagemaker.site import Site
from localaws.service import AwsError

log = logging.getLogger("localaws.sagemaker")

J = TypeVar("J", bound=Job)


class Run(ABC, Generic[J]):
    """A job on its own thread, from its start to its end."""

    kind: str
    """The API's word for such a job, such as TrainingJob; its log group is `/aws/sagemaker/<kind>s`."""

    def __init__(
        self,
        site: Site,
        job: J,
        hosts: Sequence[str],
        vpc: VpcConfig,
        changed: Callable[[J], None],
    ) -> None:
        self.site = site
        self.job = job
        self.hosts = list(hosts)
        self.s3 = site.world.client("s3", job.call.account, job.call.region)
        where = f"{job.call.account}-{job.call.region}"
        self.folder = site.world.data / "sagemaker" / self.kind / where / job.name
        self.crew = Crew(site.world.options.memory)
        self.changed = changed
        self._logs: dict[str, LogStream] = {}
        self._opening = threading.Lock()
        self._launched = time.monotonic()
        self._membership = Membership(
            site.world,
            job.call,
            vpc,
            f"[Do not delete] Network Interface of SageMaker {self.kind} {job.name}",
        )
        self._thread = threading.Thread(target=self._run, name=f"{self.kind}-{job.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def abandon(self) -> None:
        """The server stops: end the job's processes at once."""
        self.job.stop.set()
        self.crew.kill()
        self._thread.join(timeout=5)

    @abstractmethod
    def work(self) -> None:
        """Do all of it; raises JobFailed with the reason, or Stopped."""

    @abstractmethod
    def settle(self, failure: str | None) -> None:
        """Put the job into its last state, which `changed` then tells."""

    def _run(self) -> None:
        failure = None
        try:
            self.job.started = now()
            self._join_vpc()
            self.work()
        except Stopped:
            pass
        except JobFailed as error:
            failure = str(error)
        except Exception as error:
            log.exception("%s %s", self.kind, self.job.name)
            failure = f"InternalServerError: {type(error).__name__}: {error}"
        if self.site.world.stopping.is_set():
            return
        self._membership.leave()
        for stream in self._logs.values():
            self.site.logs.close(stream)
        self.settle(failure)
        self.changed(self.job)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _join_vpc(self) -> None:
        try:
            self._membership.join(len(self.hosts))
        except AwsError as error:
            raise JobFailed(f"ClientError: {error.message}") from error

    def say(self, line: str, host: str = "") -> None:
        """Write a line to the log of a host, of the first where none is named."""
        host = host or self.hosts[0]
        with self._opening:
            if host not in self._logs:
                stream = f"{self.job.name}/{host}-{int(time.time())}"
                self._logs[host] = self.site.logs.open(self.job.call, f"/aws/sagemaker/{self.kind}s", stream)
        self._logs[host].write(line)

    def late(self) -> bool:
        """Whether the containers, since they were launched last, have run longer than the job may."""
        return time.monotonic() - self._launched > self.job.max_runtime

    def check_stopped(self) -> None:
        """Raise Stopped where the job's end was asked for."""
        if self.job.stop.is_set():
            raise Stopped

    def prepare_hosts(self, folders: Sequence[str]) -> None:
        """Make each host's folder, which becomes its /opt/ml, empty folders in it, and the hosts' names."""
        for host in self.hosts:
            for name in folders:
                (self.folder / host / name).mkdir(parents=True, exist_ok=True)
        write_hosts(self.folder, self.hosts)

    def python(self, program: Program) -> Path:
        """The interpreter of a program's environment, built now where it is missing."""
        if program.note is not None:
            self.say(program.note)
        try:
            return self.site.environments.python(program.requirements, self.say, self.job.stop)
        except BuildFailed as error:
            raise JobFailed(f"AlgorithmError: InstallRequirementsError: {error}, exit code: 1") from error

    def launch(
        self,
        python: Path,
        program: Program,
        variables: Mapping[str, str],
        read: Callable[[str, str], None] | None = None,
    ) -> None:
        """Start the program on every host; `read` takes each line of a host's output, as `say` does."""
        self.check_stopped()
        self._launched = time.monotonic()
        options = self.site.world.options
        environment = {
            **base_environment(),
            **self.site.world.environment(self.job.call.account, self.job.call.region),
            **bounds.threads(options.cpus),
            bounds.CPUS: str(options.cpus),
            **variables,
            **program.variables,
            "SAGEMAKER_REGION": self.job.call.region,
        }
        take = read or self.say
        for host in self.hosts:

            def on_line(line: str, host: str = host) -> None:
                take(line, host)

            own = {**environment, "CURRENT_HOST": host}
            folder = self.folder / host
            self.crew.add(host, Container(python, program.entry, folder, own, on_line, program.arguments))
