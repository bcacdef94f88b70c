"""What any CDK app costs: one Stage with one empty stack, synthesized under the same cdk.json."""

import aws_cdk as cdk

app = cdk.App()
stage = cdk.Stage(app, "empty-dev", env=cdk.Environment(account="111122223333", region="eu-west-1"))
cdk.Stack(stage, "nothing")
app.synth()
