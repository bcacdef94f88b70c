"""Writes atelier/spec/data/images.json: the managed images of the frameworks that a team file can name.

    pip download --no-deps sagemaker-core --dest build
    python tools/generate_images.py build/sagemaker_core-*.whl

The package carries the address of every image, but importing it costs seconds: what Atelier needs of it is
written down once. The tags are spelled as its `image_uris.retrieve` spells them.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent.parent / "atelier/spec/data/images.json"
FOLDER = "sagemaker/core/image_uri_config"
SOURCES = {
    "sklearn": ["sklearn"],
    "xgboost": ["xgboost"],
    "pytorch": ["pytorch", "pytorch-amzn2023"],
    "tensorflow": ["tensorflow"],
    "huggingface": ["huggingface"],
    "mxnet": ["mxnet"],
    "blazingtext": ["blazingtext"],
}
"""Framework to the files that describe it; TensorFlow, MXNet and PyTorch before Python 3 are left out."""

SCOPES = ("training", "inference")
PROCESSORS = ("cpu", "gpu")


def main(wheel: str) -> None:
    """Write the table from the package's `wheel`."""
    registries: list[dict[str, str]] = []
    images: dict[str, Any] = {framework: {scope: {} for scope in SCOPES} for framework in SOURCES}
    with zipfile.ZipFile(wheel) as package:
        for framework, names in SOURCES.items():
            for name in names:
                config = json.loads(package.read(f"{FOLDER}/{name}.json"))
                for scope in SCOPES:
                    # A file without scopes describes one image that does both.
                    for version, image in _versions(config.get(scope, config)).items():
                        entry = _entry(image, registries)
                        if entry:
                            images[framework][scope][version] = entry
    source = "-".join(Path(wheel).name.split("-")[:2]).replace("_", "-", 1)
    table = {"source": source, "registries": registries, "images": images}
    TABLE.write_text(_compact(table), encoding="utf-8")


def _versions(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Version to image; of Hugging Face, to the newest PyTorch image of that version of transformers."""
    found = {}
    for version, image in config.get("versions", {}).items():
        processors = image.get("processors", config.get("processors", []))
        bases = [base for base in image if base.startswith("pytorch")]
        if bases:
            newest = max(bases, key=_numbers)
            prefix = f"{newest.removeprefix('pytorch')}-transformers{version}"
            found[version] = {"processors": processors, "tag_prefix": prefix, **image[newest]}
        elif "repository" in image:
            found[version] = {"processors": processors, "tag_prefix": version, **image}
    return found


def _entry(image: dict[str, Any], registries: list[dict[str, str]]) -> dict[str, Any] | None:
    """Repository, index of the registries, and the tag for each processor (`any` when all share one)."""
    pythons = [python for python in image.get("py_versions", [""]) if python != "py2"]
    if not pythons:
        return None
    python = max(pythons, key=_numbers)
    if image["registries"] not in registries:
        registries.append(image["registries"])
    suffixes = image.get("container_version", {})
    in_tag = image.get("processor_in_tag", True)
    tags = {
        processor: "-".join(
            filter(
                None,
                [image["tag_prefix"], processor if in_tag else "", python, suffixes.get(processor, "")],
            )
        )
        for processor in PROCESSORS
        if processor in image["processors"]
    } or {"any": image["tag_prefix"]}
    return {
        "repository": image["repository"],
        "registries": registries.index(image["registries"]),
        "tags": tags,
    }


def _numbers(text: str) -> tuple[int, ...]:
    digits = [int(part) for part in re.findall(r"\d+", text)]
    # "py3" is newer than "py27" and older than "py310": its minor version is what follows the 3.
    if text.startswith("py") and digits:
        return int(str(digits[0])[0]), int(str(digits[0])[1:] or 0)
    return tuple(digits)


def _compact(table: dict[str, Any]) -> str:
    """JSON with one line for each image and each map of registries."""
    text = json.dumps(table, indent=1)
    flat = re.sub(r"\{([^{}]*?)\}", lambda match: "{" + " ".join(match[1].split()) + "}", text)
    flat = re.sub(
        r'("repository": [^\n]*)\n\s*("registries": \d+,)\n\s*("tags": [^\n]*)\n\s*\}',
        r"\1 \2 \3}",
        flat,
    )
    return re.sub(r"\{\s+(\"repository\")", r"{\1", flat) + "\n"


if __name__ == "__main__":
    main(sys.argv[1])
