"""The CDK side: team files to CloudFormation. No AWS call, clock, git or network while it synthesizes."""
