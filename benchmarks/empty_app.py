"""What any CDK app costs: one Stage with one empty stack, with the flags that the project's own app has."""

import sys
from pathlib import Path

import aws_cdk as cdk

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from stacks.app import new_app

app = new_app()
stage = cdk.Stage(app, "empty-dev", env=cdk.Environment(account="111122223333", region="eu-west-1"))
cdk.Stack(stage, "nothing")
app.synth()
