"""The project's app with nothing in it: the same settings, one Stage with one empty stack."""

import sys
from pathlib import Path

import aws_cdk as cdk

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from stacks.app import new_app

app = new_app()
stage = cdk.Stage(app, "empty-dev", env=cdk.Environment(account="111122223333", region="eu-west-1"))
cdk.Stack(stage, "nothing")
app.synth()
