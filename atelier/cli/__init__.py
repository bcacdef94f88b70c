"""The command `atelier`: thin commands over boto3, the same against AWS and the embedded AWS."""

from __future__ import annotations

import signal

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def main() -> None:
    """Run the command line; the entry point of the package.

    Ctrl-C ends the process at once until a command's own code runs: an exception in the midst of an import
    may be swallowed there, with a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and is not ignored, as behind nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        # Inside, since the import takes a tenth of a second, in which Ctrl-C may come.
        from atelier.cli.commands import app  # noqa: PLC0415

        app()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
