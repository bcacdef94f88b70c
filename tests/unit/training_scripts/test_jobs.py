"""What the example teams' files, the pages and the logs of the scripts say of one another."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

import contract
from atelier import embedded
from atelier.spec import load_team

FOLDERS = sorted(
    path.parent
    for part in ("training_scripts", "containers")
    for path in (embedded.ROOT / part).glob("*/README.md")
    # The others are images of Studio.
    if part == "training_scripts" or (path.parent / "train").is_file()
)
SECTIONS = (
    "Data",
    "Hyperparameters",
    "What to expect",
    "Requests",
    "On a laptop",
    "In a team's file",
)
TEAMS = {path.name: path for path in (embedded.ROOT / "teams").glob("*.yaml")}
JOBS = {
    name: job
    for path in TEAMS.values()
    for name, job in load_team(path).environments["dev"].jobs.items()
    if not job.algorithm and not job.jumpstart
}
SMALL = {
    "curve_sklearn": ("--max_iter", "20"),
    "curve_pytorch": ("--epochs", "1"),
    "curve_tensorflow": ("--epochs", "1"),
    "images_pytorch": ("--epochs", "1", "--width", "8", "--workers", "0"),
    "sentiment_tensorflow": ("--epochs", "1", "--embedding", "8", "--filters", "8", "--dense", "8"),
    "text_huggingface": ("--epochs", "1"),
    "text_mxnet": ("--epochs", "1"),
}
"""What makes a run short."""


def section(folder, title):
    """What a page says under a title."""
    page = (folder / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_page_has_the_same_sections(folder):
    """Whoever knows one page finds his way in all; what a script comes from stands above them."""
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (.*)$", page, re.MULTILINE)) == SECTIONS
    assert re.search(r"^Source rows?: S\d+(, S\d+)*\.$", page.partition("\n## ")[0], re.MULTILINE)
    assert page.startswith(f"# {folder.name}\n")
    assert "s3://" in section(folder, "Data")
    assert "example.py" in section(folder, "On a laptop")


def test_every_folder_of_a_job_has_its_page():
    """And an example that makes its data."""
    folders = {
        path.parent
        for part in ("training_scripts", "containers")
        for path in (embedded.ROOT / part).glob("*/example.py")
    }
    assert folders == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_pages_job_is_the_one_of_the_example_team(folder):
    """Word for word, so that what is shown is what is tested."""
    text = section(folder, "In a team's file")
    team = TEAMS[re.search(r"\.\./\.\./teams/([a-z]+\.yaml)", text)[1]]
    shown, real = (
        YAML(typ="safe").load(content)
        for content in (re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1], team.read_text(encoding="utf-8"))
    )
    for group, entries in shown.items():
        for name, entry in entries.items():
            assert entry == real[group][name]


@pytest.mark.parametrize("name", JOBS)
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_each_metric_definition_finds_the_whole_value(name, value):
    """In the line that `contract.report` prints, however large or small the value is."""
    for metric, pattern in JOBS[name].patterns.items():
        lines = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("builtins.print", lambda text, lines=lines, **_: lines.append(text))
            contract.report(metric, value)
        found = re.search(pattern, lines[0])
        assert found is not None, metric
        assert float(found[1]) == pytest.approx(value, rel=1e-5)


@pytest.mark.heavy
@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if job.script])
def test_a_job_prints_each_metric_that_its_team_has_defined(job, name):
    """The definitions find a value for each, the last of which is the manifest's; so does the gate's."""
    defined = JOBS[name]
    script = job(defined.script)
    script.write_example()
    if defined.prepare:
        script.prepare()
    log = script.train(*SMALL[defined.script])
    for metric, pattern in defined.patterns.items():
        assert float(re.findall(pattern, log)[-1]) == pytest.approx(
            script.manifest["metrics"][metric], rel=1e-5
        )
    assert defined.gate.metric in defined.patterns
    manifest = script.manifest
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", manifest["code"])
    assert set(manifest["data"]) >= {"train"}
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in manifest["data"].values())
    declared = json.loads(
        (embedded.ROOT / "training_scripts" / defined.script / "hyperparameters.json").read_text()
    )
    assert set(manifest["hyperparameters"]) == set(declared)
    assert len(manifest["versions"]) >= 2


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("script", "folder"),
    [
        *((script, "model") for script in SMALL),
        ("images_pytorch", "checkpoints"),
        ("sentiment_tensorflow", "checkpoints"),
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing_half_written(job, script, folder):
    """Whatever a framework makes of it: the platform's fault, in one line, and an empty folder."""
    full = job(script)
    full.write_example()
    if (embedded.ROOT / "training_scripts" / script / "prepare.py").is_file():
        full.prepare()
    left = full.train_on_a_full_disk(folder, *SMALL[script])
    assert full.failure.startswith("PlatformError: no space is left on the disk")
    assert "\n" not in full.failure
    assert left == []


# The networks as the source has them, built with the defaults: the sizes of their layers.
NETWORKS = {
    "curve_sklearn": (
        """
network = fitting.build(train.Params(**defaults)).regressor.steps[-1][1]
found = list(network.hidden_layer_sizes)
""",
        [10] * 5,
    ),
    "curve_pytorch": (
        """
import network
layers = list(network.Curve(*(defaults[name] for name in ("hidden_layers", "units", "dropout"))).layers)
def size(layer):
    return getattr(layer, "out_features", getattr(layer, "p", None))
found = [[type(layer).__name__, size(layer)] for layer in layers]
""",
        [["Linear", 50], ["LeakyReLU", None], ["Dropout", 0.01]] * 8 + [["Linear", 1]],
    ),
    "curve_tensorflow": (
        """
import numpy as np
points = train.Points(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]))
model = fitting.build(train.Params(**defaults), points)
found = [[type(layer).__name__, getattr(layer, "units", None)] for layer in model.layers]
""",
        [
            ["Normalization", None],
            *[["Dense", 100], ["LeakyReLU", None]] * 7,
            ["Dense", 1],
            ["Normalization", None],
        ],
    ),
    "sentiment_tensorflow": (
        """
model = fitting.build(train.Params(**defaults))
found = [[type(layer).__name__, list(layer.output.shape[1:])] for layer in model.layers]
found.append(model.layers[0].input_dim)
""",
        [
            ["Embedding", [400, 300]],
            ["Dropout", [400, 300]],
            ["Conv1D", [398, 256]],
            ["GlobalMaxPooling1D", [256]],
            ["Dense", [256]],
            ["Dropout", [256]],
            ["Dense", [1]],
            20_000,
        ],
    ),
}


@pytest.mark.heavy
@pytest.mark.parametrize("script", NETWORKS)
def test_a_network_is_the_sources_by_default(job, script):
    """Layer by layer."""
    code, expected = NETWORKS[script]
    page = Path(embedded.ROOT / "training_scripts" / script / "train.py")
    setup = (
        f"import json, contract, fitting, train\ndefaults = vars(contract.parameters({str(page)!r}, []))\n"
    )
    assert job(script).evaluate(f"{setup}{code}print(json.dumps(found))") == expected
