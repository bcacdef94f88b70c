"""The commands of `atelier`, and how they are found and called."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from atelier.cli import INTERRUPTED


@dataclass(frozen=True)
class _Entry:
    """A command: its module in this package, its function there, and the line that the help shows."""

    module: str
    function: str
    help: str


COMMANDS = {
    "new-team": _Entry(
        "new_team", "new_team", "Write teams/NAME.yaml, with comments that say what else it may hold."
    ),
    "teams": _Entry(
        "teams", "teams", "List the teams and their environments: where, who, what, and the monthly budget."
    ),
    "check": _Entry("check", "check", "Say whether team files are right, and where they are not."),
    "schema": _Entry("check", "schema", "Print the JSON Schema of a team file, for editors."),
    "record": _Entry(
        "record",
        "record_team",
        "Write down what in a deployed environment must not change, so that a change is refused; commit it.",
    ),
    "doctor": _Entry(
        "doctor",
        "doctor",
        "Say what an environment needs of its account and does not have; nothing is changed.",
    ),
    "access": _Entry(
        "access", "access", "Show who may do what in an environment: every role, by its policies."
    ),
    "train": _Entry(
        "train", "train", "Start a run of a job and follow it to its end; with --sweep several, side by side."
    ),
    "runs": _Entry("runs", "runs", "List the runs of a team's jobs, newest first."),
    "compare": _Entry(
        "compare",
        "compare",
        "Show the runs of a job or an experiment with their hyperparameters and metrics, and chart them.",
    ),
    "approve": _Entry("approve", "approve", "Approve a model: it is deployed."),
    "reject": _Entry("approve", "reject", "Reject a model: it is not deployed."),
    "invoke": _Entry("invoke", "invoke", "Send an endpoint a request and print its answer."),
    "images": _Entry(
        "images",
        "images",
        "List the managed images of AWS: versions, addresses in a region, until when each is patched.",
    ),
    "image": _Entry(
        "image",
        "image",
        "Build an image of the team's own from containers/NAME, and push it to the team's repository.",
    ),
    "demo": _Entry(
        "demo",
        "demo",
        "Deploy a job to an embedded AWS, upload data, watch it train and serve, predict, remove it all.",
    ),
    "up": _Entry("up", "up", "Serve an embedded AWS until stopped (Ctrl-C, or `atelier down`)."),
    "down": _Entry("up", "down", "Stop the embedded AWS that `atelier up` serves, and all that it started."),
}


class _Command(TyperCommand):
    """Hears Ctrl-C as an exception while its own code runs, which may have something to tidy up."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return super().invoke(ctx)


class _Commands(TyperGroup):
    """Imports a command's module when the command is called, so that the help and the others stay quick."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Names alone, for "did you mean".
        self.commands = {name: TyperCommand(name) for name in COMMANDS}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- click's signature
        """The command of this name, or None."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(cmd_name, cls=_Command)(
            getattr(import_module(f"{__package__}.{entry.module}"), entry.function)
        )
        return typer.main.get_command(app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 -- click's signature
        """The commands in the help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong in foreseen ways becomes a message, not a traceback."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            from atelier.cli.errors import explained  # noqa: PLC0415 -- imports botocore

            message = explained(error)
            if message is None:
                raise
            typer.echo(message, err=True)
            raise typer.Exit(1) from error


# Rich's help takes a third of a second to import, for a few frames.
app = typer.Typer(cls=_Commands, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def _about() -> None:
    """One governed Amazon SageMaker environment per ML team, from one YAML file."""
