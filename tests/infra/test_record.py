"""What `atelier record` reads in deployed templates is what the team file said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atelier.cli.record import STACKS, deployed
from atelier.spec import load_team, names, record
from stacks.app import new_app
from stacks.build import build

HEAD = """\
team: other
owners: [you@example.com]
environments:
  dev:
    account: "111122223333"
    region: eu-west-1
"""
EXISTING = "vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]"
SPACES = "{lab: {owner: ana}, all: {owner: ben, shared: true}}"
TEAMS = {
    "all in a network of its own": f"""\
    network: {{mode: created, cidr: 10.1.0.0/16}}
studio: {{users: {{ana: {{}}, ben: {{}}}}, spaces: {SPACES}}}
notebooks: {{bench: {{}}}}
""",
    "single sign-on in a VPC that is there": f"""\
    network: {{mode: existing, {EXISTING}}}
studio:
  sign_in: sso
  identity_center: arn:aws:sso:::instance/ssoins-0123456789abcdef
  users: {{ana: {{sso_user: a@example.com}}}}
""",
    "notebook instances alone": f"""\
    network: {{mode: existing, {EXISTING}}}
notebooks: {{bench: {{}}}}
""",
    "security groups of one's own": f"""\
    network: {{mode: existing, {EXISTING}, security_groups: [sg-0a1b2c3d]}}
studio: {{users: {{ana: {{}}}}}}
""",
    "notebook instances in security groups of one's own": f"""\
    network: {{mode: existing, {EXISTING}, security_groups: [sg-0a1b2c3d, sg-1a1b2c3d]}}
studio: {{users: {{ana: {{}}}}}}
notebooks: {{bench: {{}}}}
""",
    "nothing to lose": """\
    network: {mode: created}
""",
}


@pytest.mark.parametrize("text", TEAMS.values(), ids=TEAMS)
def test_the_templates_say_what_the_team_file_said(text: str, tmp_path: Path) -> None:
    """Whatever stacks are made of, the record of a deployed environment is that of its team file."""
    path = tmp_path / "other.yaml"
    path.write_text(HEAD + text)
    spec = load_team(path).environments["dev"]
    app = new_app(outdir=str(tmp_path / "out"))
    build(app, [spec])
    app.synth()
    wanted = [names.stack("other", "dev", kind) for kind in STACKS]
    assembly = next((tmp_path / "out").glob("assembly-*"))
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"].values()
    files = {
        one["properties"]["stackName"]: one["properties"]["templateFile"]
        for one in artifacts
        if one["type"] == "aws:cloudformation:stack"
    }
    templates = [json.loads((assembly / files[name]).read_text()) for name in wanted]
    fixed = record.fixed("dev", spec.network, spec.studio, notebooks=bool(spec.notebooks))
    assert deployed("dev", templates) == fixed
