"""What the demo leaves behind: `summary.json` for programs, a few tables for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from atelier.demo.screen import clipped

ANSWER_LENGTH = 80


@dataclass
class Summary:
    """Everything that the demo saw; seconds and megabytes."""

    team: str
    environment: str
    job: str
    endpoint: str
    resources: dict[str, int] = field(default_factory=dict)
    """How many of each CloudFormation type were deployed."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    run: str = ""
    training_job: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    model_package: str = ""
    """The ARN of the model that the run registered."""
    answers: list[dict[str, str]] = field(default_factory=list)
    """Each request to the endpoint, with its answer."""
    transform: str = ""
    """Where a batch's predictions lay."""
    picture: str = ""
    """The file of the picture, if the job draws one."""
    notification: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    embedded_aws_megabytes: float = 0.0

    def write(self, path: Path) -> None:
        """Write all of it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def count_resources(templates: Mapping[str, Any]) -> dict[str, int]:
    """How many resources of each type the templates hold, the most frequent first."""
    types = Counter(
        resource["Type"]
        for template in templates.values()
        for resource in template.get("Resources", {}).values()
    )
    types.pop("AWS::CDK::Metadata", None)
    return dict(types.most_common())


def show(console: Console, summary: Summary, folder: Path) -> None:
    """Print the closing tables."""
    kinds = [f"{count:3} {name.removeprefix('AWS::')}" for name, count in summary.resources.items()]
    console.print("[bold]Deployed[/]")
    console.print(Columns(kinds, column_first=True, padding=(0, 2)), highlight=False)
    console.print()

    facts = Table(box=None, padding=(0, 2), show_header=False)
    facts.add_row("run", summary.run)
    facts.add_row("metrics", ", ".join(f"{name} {value:.4g}" for name, value in summary.metrics.items()))
    for one in summary.answers:
        answer = clipped(one["answer"], ANSWER_LENGTH)
        facts.add_row("answer", f"{one['about']}, {one['content_type']}: {answer}")
    if summary.picture:
        facts.add_row("picture", str(folder / summary.picture))
    facts.add_row("summary", str(folder / "summary.json"))
    facts.add_row("logs", f"{folder}/cdk-*.log, {folder}/aws/")
    facts.add_row("embedded AWS", f"{summary.embedded_aws_megabytes:.0f} MB of memory")
    facts.add_row("time", f"{sum(summary.seconds.values()):.0f} s")
    console.print(facts, highlight=False)
