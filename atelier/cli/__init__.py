"""The command `atelier`: thin commands over boto3, the same against AWS and the embedded AWS."""

from __future__ import annotations

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def main() -> None:
    """Run the command line; the entry point of the package."""
    try:
        # Inside, since the import takes a tenth of a second, in which Ctrl-C may come.
        from atelier.cli.commands import app  # noqa: PLC0415

        app()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
