"""Step Functions: state machines in the States Language, run by an interpreter of our own."""

from localaws.stepfunctions.api import StepFunctions

__all__ = ["StepFunctions"]
