"""AWS Lambda of the embedded AWS: deployed zips run in processes of their own."""

from localaws.lambda_.service import Lambda

__all__ = ["Lambda"]
