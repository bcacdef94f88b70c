"""Writes atelier/spec/data/instances.json: instance types, regions and Studio tools, from botocore.

    python tools/generate_instances.py

Synthesis reads the table and so needs no botocore, which takes a fifth of a second to import.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from botocore.session import get_session

TABLE = Path(__file__).parent.parent / "atelier/spec/data/instances.json"
SHAPES = {
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "transform": "TransformInstanceType",
    "hosting": "ProductionVariantInstanceType",
    "studio": "AppInstanceType",
    "notebook": "InstanceType",
}
TOOLS = "MlTools"


def main() -> None:
    """Write the table from the installed botocore."""
    session = get_session()
    model = session.get_service_model("sagemaker")
    types: dict[str, dict[str, list[str]]] = {}
    for use, shape in SHAPES.items():
        families: dict[str, list[str]] = defaultdict(list)
        for instance_type in model.shape_for(shape).enum:
            prefix, _, name = instance_type.partition(".")
            if prefix == "ml":  # Studio's list also names `system`, which is no size
                family, size = name.split(".")
                families[family].append(size)
        types[use] = dict(sorted(families.items()))
    suffixes = {part["partition"]: part["dnsSuffix"] for part in _partitions(session)}
    regions = {
        region: suffix
        for partition, suffix in suffixes.items()
        for region in session.get_available_regions("sagemaker", partition)
    }
    uses = ",\n".join(f' "{use}": {{\n{_lines(families)}\n }}' for use, families in types.items())
    tools = json.dumps(sorted(model.shape_for(TOOLS).enum))
    TABLE.write_text(
        f'{{\n{uses},\n "tools": {tools},\n "regions": {{\n{_lines(regions)}\n }}\n}}\n', encoding="utf-8"
    )


def _partitions(session: object) -> list[dict[str, str]]:
    loaded: dict[str, list[dict[str, str]]] = session.get_component("data_loader").load_data("endpoints")  # type: ignore[attr-defined]
    return loaded["partitions"]


def _lines(table: dict[str, list[str]] | dict[str, str]) -> str:
    return ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in table.items())


if __name__ == "__main__":
    main()
