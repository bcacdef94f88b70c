"""Synthesize the environments that the team files describe; `-c team=… -c env=…` selects."""

import sys

from atelier.spec import SpecError, load_to_deploy
from stacks.app import new_app, selection, synthesize
from stacks.build import build
from stacks.limits import TooLarge

app = new_app()
try:
    build(app, load_to_deploy(**selection(app)))
    synthesize(app)
except (SpecError, TooLarge) as error:
    sys.exit(str(error))
