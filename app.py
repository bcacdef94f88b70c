"""Synthesize the environments that the team files describe; `-c team=… -c env=…` selects."""

import sys

from atelier.spec import SpecError, load_teams
from stacks.app import new_app, selection
from stacks.build import build

app = new_app()
try:
    build(app, load_teams(**selection(app)))
except SpecError as error:
    sys.exit(str(error))
app.synth()
