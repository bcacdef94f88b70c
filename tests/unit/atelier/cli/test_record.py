"""`atelier record`."""

from __future__ import annotations

import json

OTHER = """\
team: other
owners: [you@example.com]
environments:
  dev: {account: "111122223333", region: eu-west-1, network: {mode: created}}
  test: {account: "111122223333", region: eu-west-1, network: {mode: created, cidr: 10.1.0.0/16}}
studio: {users: {jane: {}}}
"""


def test_record_writes_what_must_not_change(atelier, project):
    """One environment or all, beside the team file; another sign-in is refused from then on."""
    (project / "teams/other.yaml").write_text(OTHER)
    assert (
        atelier("record", "other", "dev").stdout
        == "teams/other.record.json: written; commit it with other.yaml\n"
    )
    recorded = json.loads((project / "teams/other.record.json").read_text())
    assert recorded == {
        "dev": {
            "environments.dev.network.cidr": "10.0.0.0/16",
            "environments.dev.network.mode": "created",
            "studio.sign_in": "iam",
            "studio.users.jane.sso_user": None,
        }
    }
    assert atelier("record", "other").exit_code == 0
    assert set(json.loads((project / "teams/other.record.json").read_text())) == {"dev", "test"}


def test_an_environment_that_is_not_there_is_told(atelier, project):
    """With those that are."""
    (project / "teams/other.yaml").write_text(OTHER)
    done = atelier("record", "other", "prod")
    assert done.exit_code == 1
    assert "team other has no environment prod: dev, test" in done.stderr
