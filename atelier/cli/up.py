"""`atelier up` and `atelier down`: an embedded AWS to work with."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from atelier import embedded

Data = Annotated[Path, typer.Option(help="The folder for everything it writes.")]
DATA = embedded.STATE / "data"


def up(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port of 127.0.0.1; 0 takes a free one.")
    ] = 4566,
    account: Annotated[
        str, typer.Option(help="The account that the printed variables name.")
    ] = "111122223333",
    region: Annotated[str, typer.Option(help="The region that the printed variables name.")] = "eu-west-1",
    data: Data = DATA,
) -> None:
    """Serve an embedded AWS until stopped (Ctrl-C, or `atelier down`)."""
    say = Console(stderr=True)
    try:
        with embedded.serve(data, port=port) as running:
            for name, value in running.environment(account, region).items():
                print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 -- for a shell to read
            say.print(
                f"The embedded AWS answers on {running.endpoint}; its log is {data / 'server.log'}.\n"
                "Paste the lines above into a shell, then use cdk, aws, boto3 or atelier there. "
                "Ctrl-C stops it.",
                highlight=False,
                soft_wrap=True,
            )
            embedded.wait(running)
    except embedded.EmbeddedError as error:
        say.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        say.print("stopped")


def down(data: Data = DATA) -> None:
    """Stop the embedded AWS that `atelier up` serves, and all that it started."""
    running = embedded.find(data)
    if running is None:
        Console(stderr=True).print(f"no embedded AWS serves {data}", highlight=False)
        return
    try:
        embedded.stop(running)
    except embedded.EmbeddedError as error:
        Console(stderr=True).print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
