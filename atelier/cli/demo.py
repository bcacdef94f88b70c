"""`atelier demo`: see the whole path run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from atelier.embedded import EmbeddedError
from atelier.spec import SpecError


def demo(
    job: Annotated[str, typer.Option(help="A job of any team, or the folder of its script.")] = "curve",
    team: Annotated[str | None, typer.Option(help="The team that has it, where several do.")] = None,
    env: Annotated[str, typer.Option(help="One of the team's environments.")] = "dev",
) -> None:
    """Deploy a job to an embedded AWS, upload data, watch it train and serve, predict, remove it all."""
    # These import boto3 and matplotlib's friends: not for `atelier --help`.
    from atelier.demo.cdk import CdkError  # noqa: PLC0415
    from atelier.demo.journey import JourneyError  # noqa: PLC0415
    from atelier.demo.run import run  # noqa: PLC0415

    console = Console()
    try:
        summary = run(console, job, team, env)
    except (SpecError, EmbeddedError, CdkError, JourneyError) as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        console.print("stopped: the embedded AWS and all that was deployed to it are gone")
        raise typer.Exit(130) from None
    console.print(
        "\nGo on: [bold].venv/bin/atelier up[/] keeps an embedded AWS to work with; on a real account, "
        f"[bold]npx cdk deploy '{summary.team}-{env}/*' -c team={summary.team} -c env={env}[/]"
        " is the same command.",
        highlight=False,
    )
