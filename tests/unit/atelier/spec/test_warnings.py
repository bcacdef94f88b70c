"""What a team file may say and is still worth a word."""

from __future__ import annotations

from atelier.spec import load_team

NETWORK = "environments.dev.network"


def warned(project, text):
    """The places that a team file's warnings are about."""
    path = project / "teams" / "vision.yaml"
    path.write_text(text)
    return {warning.split(": ")[0]: warning for warning in load_team(path).warnings}


def test_warns_of_what_a_network_without_internet_cannot_fetch(project, rich):
    """Packages and repositories on the internet are allowed and warned of where no way leads there."""
    closed = rich.replace("internet: nat", "internet: none").replace('allow: ["*.pypi.org"]', "allow: []")
    closed = closed.replace("internet: public", "internet: vpc_only").replace(
        "endpoints: shared", "endpoints: own"
    )
    requirements = project / "training_scripts/curve/requirements.txt"
    requirements.touch()
    try:
        path = project / "teams" / "vision.yaml"
        path.write_text(closed)
        warned = [warning.split(":")[0] for warning in load_team(path).warnings if "internet" in warning]
        path.write_text(rich)
        assert not [warning for warning in load_team(path).warnings if "internet" in warning]
    finally:
        requirements.unlink()
    assert warned == ["jobs.curve", "jobs.many", "studio.packages", "studio.repositories"]


def test_warns_of_what_has_no_effect(project, smallest):
    """A volume's size beside types with disks of their own, and values that may be cut."""
    job = "    framework: pytorch\n    instances: [ml.g5.xlarge]\n    volume_gb: 200\n"
    job += f"    hyperparameters: {{long: {'x' * 300}, short: 1}}\n"
    path = project / "teams" / "tiny.yaml"
    path.write_text(smallest.replace("    framework: sklearn\n", job))
    warned = {warning.split(":")[0] for warning in load_team(path).warnings}
    assert {"jobs.curve.volume_gb", "jobs.curve.hyperparameters.long"} <= warned
    assert "jobs.curve.hyperparameters.short" not in warned


def test_warns_of_a_network_that_nobody_has_connected(project, rich):
    """Without endpoints of its own and without internet nothing is reached before a person acts."""
    closed = rich.replace("internet: nat", "internet: none").replace('      allow: ["*.pypi.org"]\n', "")
    said = warned(project, closed)[NETWORK]
    assert "transit gateway or VPC peering" in said
    assert "private hosted zones" in said
    for connected in (rich, closed.replace("endpoints: shared", "endpoints: own")):
        assert NETWORK not in warned(project, connected)


def test_warns_of_costs_of_which_nobody_hears(project, rich):
    """A budget without anybody to tell, a watch over nothing, an app that nothing stops."""
    dev, prod = "environments.dev.unused", "environments.prod.budget"
    text = rich.replace("notify: [ops@example.com]", "notify: []")
    text = text.replace("    region: eu-west-1\n", "    region: eu-west-1\n    unused: {stop: true}\n")
    said = warned(project, text)
    assert said[prod].endswith("nobody is told of its alerts and its stop, since notify is empty")
    assert "paid until somebody stops it" in said["studio.spaces.lab"]
    assert dev not in said
    nothing = text.partition("endpoints:\n  curve:")[0]
    assert "has no effect" in warned(project, nothing.replace("        spare: null\n", ""))[dev]
    told = warned(project, rich.replace("owner: jane, shared: true", "owner: jane"))
    assert not {dev, prod, "studio.spaces.lab", "studio.spaces.desk"} & set(told)
