"""`atelier demo`: see the whole path run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from atelier.embedded import EmbeddedError
from atelier.spec import SpecError


def demo(
    team: Annotated[str, typer.Option(help="A team of teams/.")] = "vision",
    env: Annotated[str, typer.Option(help="One of its environments.")] = "dev",
    job: Annotated[str, typer.Option(help="One of its jobs, served by one of its endpoints.")] = "curve",
) -> None:
    """Deploy a team to an embedded AWS, upload data, watch it train and serve, predict, remove it all."""
    # These import boto3 and matplotlib's friends: not for `atelier --help`.
    from atelier.demo.cdk import CdkError  # noqa: PLC0415
    from atelier.demo.journey import JourneyError  # noqa: PLC0415
    from atelier.demo.run import run  # noqa: PLC0415

    console = Console()
    try:
        run(console, team, env, job)
    except (SpecError, EmbeddedError, CdkError, JourneyError) as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        console.print("stopped: the embedded AWS and all that was deployed to it are gone")
        raise typer.Exit(130) from None
    console.print(
        "\nGo on: [bold].venv/bin/atelier up[/] keeps an embedded AWS to work with; on a real account, "
        f"[bold]npx cdk deploy '{team}-{env}/*' -c team={team} -c env={env}[/] is the same command.",
        highlight=False,
    )
