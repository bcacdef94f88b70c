"""What runs in AWS Lambda: one package, deployed as one asset; standard library and boto3 only."""
