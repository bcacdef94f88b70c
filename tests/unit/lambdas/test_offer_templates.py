"""Project templates are offered to exactly the roles that the stack names."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from lambdas.offer_templates.handler import NoPortfolio, handler, offer
from lambdas.shared.clients import client
from localaws.server import Server

ADA, BEN, CEM = (f"arn:aws:iam::111122223333:role/{name}" for name in ("ada", "ben", "cem"))


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """An embedded AWS, as its clients."""
    folder = tmp_path_factory.mktemp("localaws")
    server = Server(folder / "data", folder / "cache")
    server.start()
    yield server.world
    server.stop()


@pytest.fixture
def requests_answered(aws, monkeypatch):
    """Sends requests of CloudFormation to the function; the answers arrive in the list."""
    answers = []

    class Bucket(BaseHTTPRequestHandler):
        def do_PUT(self):
            """Take an answer, as the bucket behind a presigned URL does."""
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Stay quiet."""

    for name, value in aws.environment("999900001111", "eu-west-1").items():
        monkeypatch.setenv(name, value)
    with HTTPServer(("127.0.0.1", 0), Bucket) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

        def send(kind, roles, before=None):
            event = {
                "RequestType": kind,
                "ResponseURL": f"http://127.0.0.1:{server.server_port}/",
                "ResourceProperties": {"Roles": roles},
                "OldResourceProperties": {"Roles": before} if before else None,
                "StackId": "s",
                "RequestId": "r",
                "LogicalResourceId": "l",
            }
            handler(event, None)
            return answers[-1]["Status"]

        client.cache_clear()
        yield send
        client.cache_clear()
        server.shutdown()


def test_roles_come_and_go_with_the_resource(aws, requests_answered):
    """Created, changed and removed; who may use templates already is no error, the switch stays on."""
    catalog = aws.client("servicecatalog", "999900001111", "eu-west-1")
    sagemaker = aws.client("sagemaker", "999900001111", "eu-west-1")

    def users():
        [portfolio] = catalog.list_accepted_portfolio_shares(PortfolioShareType="AWS_SERVICECATALOG")[
            "PortfolioDetails"
        ]
        found = catalog.list_principals_for_portfolio(PortfolioId=portfolio["Id"])["Principals"]
        return [one["PrincipalARN"] for one in found]

    assert requests_answered("Create", [ADA, BEN]) == "SUCCESS"
    assert requests_answered("Create", [ADA, BEN]) == "SUCCESS"
    assert users() == [ADA, BEN]
    assert requests_answered("Update", [BEN, CEM], before=[ADA, BEN]) == "SUCCESS"
    assert users() == [BEN, CEM]
    for _ in range(2):
        assert requests_answered("Delete", [BEN, CEM]) == "SUCCESS"
    assert users() == []
    assert sagemaker.get_sagemaker_servicecatalog_portfolio_status()["Status"] == "Enabled"


def test_without_a_portfolio_nothing_can_be_offered(aws):
    """A region to which AWS shares none is told, with what to write; removing is no error there."""

    class Silent:
        """A SageMaker whose switch shares nothing."""

        def enable_sagemaker_servicecatalog_portfolio(self):
            """Do nothing."""

    catalog = aws.client("servicecatalog", "999900002222", "eu-west-1")
    with pytest.raises(NoPortfolio, match="project_templates: false"):
        offer(Silent(), catalog, to=[ADA], no_longer_to=[])
    offer(Silent(), catalog, to=[], no_longer_to=[ADA])
