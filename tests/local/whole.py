"""The environment of the example team that has everything switched on, and how to look at it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from atelier import embedded
from atelier.cli.follow import Finished, follow
from atelier.demo.journey import Journey
from atelier.demo.points import generate
from atelier.spec import TeamEnvironment as Spec
from atelier.spec import load_teams
from tests.local.environment import TeamEnvironment

ACCOUNT = "111122223333"
DATA = f"research-dev-data-{ACCOUNT}-eu-west-1"
SHARED = {"Bucket": f"research-dev-artifacts-{ACCOUNT}-eu-west-1", "Key": "studio/sharing/notebook.ipynb"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NOTEBOOK = "research-dev-containers"
WORK = {"grace-lab": "JupyterLab", "graces-own": "CodeEditor", "team-room": "CodeEditor"}
"""Where apps run, and which: in spaces of the team's file, and in one that a person has made."""


@dataclass(frozen=True)
class Whole:
    """The environment, what was in the account before it, and clients to look at it."""

    environment: TeamEnvironment
    client: Callable[[str], Any]
    before: dict[str, set[str]]
    folder: Path

    @property
    def spec(self) -> Spec:
        """The environment as its file describes it now."""
        [found] = load_teams(self.environment.file.parent, "research", "dev", embedded.ROOT)
        return found

    @property
    def domain(self) -> dict[str, Any]:
        """The Studio domain, as SageMaker describes it."""
        sagemaker = self.client("sagemaker")
        [found] = sagemaker.list_domains()["Domains"]
        described: dict[str, Any] = sagemaker.describe_domain(DomainId=found["DomainId"])
        return described

    def user(self, name: str) -> dict[str, Any]:
        """A user's own settings."""
        described: dict[str, Any] = self.client("sagemaker").describe_user_profile(
            DomainId=self.domain["DomainId"], UserProfileName=name
        )
        return described["UserSettings"]

    def notebook(self) -> dict[str, Any]:
        """The notebook instance."""
        described: dict[str, Any] = self.client("sagemaker").describe_notebook_instance(
            NotebookInstanceName=NOTEBOOK
        )
        return described

    def policy(self, name: str) -> str:
        """The document of the managed policy whose name begins so."""
        iam = self.client("iam")
        pages = iam.get_paginator("list_policies").paginate(Scope="Local")
        [found] = [one for page in pages for one in page["Policies"] if one["PolicyName"].startswith(name)]
        version = iam.get_policy_version(PolicyArn=found["Arn"], VersionId=found["DefaultVersionId"])
        return json.dumps(version["PolicyVersion"]["Document"])

    def push(self, tag: str) -> None:
        """Put an image into the team's repository."""
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "annotations": {"version": tag}}
        self.client("ecr").put_image(
            repositoryName="research-dev/workbench", imageTag=tag, imageManifest=json.dumps(manifest)
        )

    def begin_to_work(self) -> None:
        """People open apps and share a notebook."""
        self.make_space("graces-own", "grace", "CodeEditor")
        for space, app in WORK.items():
            self.open_app(space, app)
        self.client("s3").put_object(**SHARED, Body=b"{}")

    def make_space(self, name: str, owner: str, app: str) -> None:
        """A person makes a space."""
        sagemaker, domain = self.client("sagemaker"), self.domain["DomainId"]
        sagemaker.create_space(
            DomainId=domain,
            SpaceName=name,
            OwnershipSettings={"OwnerUserProfileName": owner},
            SpaceSharingSettings={"SharingType": "Private"},
            SpaceSettings={"AppType": app},
        )

        def status() -> str:
            return str(sagemaker.describe_space(DomainId=domain, SpaceName=name)["Status"])

        wait(lambda: status() == "InService")

    def open_app(self, space: str, app: str) -> None:
        """Somebody begins to work in a space."""
        names = {"SpaceName": space, "AppType": app, "AppName": "default"}
        self.client("sagemaker").create_app(DomainId=self.domain["DomainId"], **names)

    def at_work(self) -> dict[str, str]:
        """The spaces in which apps run, and which."""
        apps = self.client("sagemaker").list_apps()["Apps"]
        return {app["SpaceName"]: app["AppType"] for app in apps if app["Status"] == "InService"}

    def upload(self, job: str, *, skip: int = 0) -> tuple[Journey, datetime]:
        """Upload data for a job, but for the first points; its path, and when that began."""
        journey, data = Journey(self.spec, job, "curve", self.client), generate()
        channels = {name: data[name][skip:] for name in ("train", "validation")}
        return journey, journey.upload(channels, self.folder)

    def ended(self, execution: str) -> dict[str, Any]:
        """Wait for an execution to succeed; its output."""
        *_, last = follow(self.client, execution, poll_seconds=0.1)
        assert isinstance(last, Finished)
        assert last.status == "SUCCEEDED", last.cause
        return last.output


def wait(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Return when it has come to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.1)
