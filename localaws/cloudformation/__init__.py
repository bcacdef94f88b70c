"""CloudFormation: an engine of our own behind the API that the CDK command calls."""
