"""The step that judges a model by one of its metrics."""

from __future__ import annotations

from atelier.spec.jobs import Gate
from stacks.constructs.asl import States, assign, choice, jsonata, literal

FIRST = "Is the metric there?"


def gate_states(gate: Gate, *, then: str) -> States:
    """Let a model pass only when its metric is there and within the bound."""
    name, value = literal(gate.metric), f"$lookup($metrics, {literal(gate.metric)})"
    if gate.at_most is not None:
        passes, bound = f"{value} <= {literal(gate.at_most)}", f"at most {gate.at_most:.10g}"
    else:
        passes, bound = f"{value} >= {literal(gate.at_least)}", f"at least {gate.at_least:.10g}"
    missing = {
        "error": "Atelier.MetricMissing",
        "cause": jsonata(
            f"'the gate asks for {bound} of ' & {name} & ', which the job did not report; it reported: '"
            " & $join($keys($metrics), ', ')"
        ),
    }
    not_passed = {
        "error": "Atelier.GateNotPassed",
        "cause": jsonata(f"{name} & ' is ' & $string({value}) & ', the gate asks for {bound}'"),
    }
    return {
        FIRST: choice((f"$exists({value})", "Is the gate passed?"), otherwise="No metric"),
        "No metric": assign({"failure": missing}, then="Explain"),
        "Is the gate passed?": choice((passes, then), otherwise="Gate not passed"),
        "Gate not passed": assign({"failure": not_passed}, then="Explain"),
    }
