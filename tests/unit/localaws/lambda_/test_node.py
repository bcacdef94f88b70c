"""Functions in Node, as CDK's own custom resources are."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest


def node(cloud, name, source, file="index__js", **settings):
    """Create a Node function from the source of its one module."""
    return cloud.function(
        name, "", Runtime="nodejs22.x", Code={"ZipFile": cloud.zip(**{file: source})}, **settings
    )


def test_an_async_handler_answers(cloud):
    """The result of the promise, in CommonJS as in an ES module."""
    node(cloud, "common", "exports.handler = async (event) => ({ got: event });")
    node(cloud, "module", "export const handler = async (event) => ({ got: event });", "index__mjs")
    assert cloud.invoke("common", {"a": "ü"}).payload == {"got": {"a": "ü"}}
    assert cloud.invoke("module", {"a": 1}).payload == {"got": {"a": 1}}


def test_a_callback_answers(cloud):
    """The older kind of handler: a result, an error, and nothing at all."""
    node(
        cloud,
        "calls",
        """
        exports.handler = (event, context, callback) => {
          if (event === "nothing") return;
          setTimeout(() => event === "fail" ? callback(new TypeError("bad")) : callback(null, event), 5);
        };
        """,
    )
    assert cloud.invoke("calls", "x").payload == "x"
    assert cloud.invoke("calls", "nothing").payload is None
    assert cloud.invoke("calls", "fail").payload["errorType"] == "TypeError"
    assert cloud.invoke("calls", "y").payload == "y"


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("exports.handler = async () => { throw new RangeError('far'); };", "RangeError", "far"),
        ("require('missing');", "Runtime.ImportModuleError", "Cannot find module 'missing'"),
        ("exports.other = 1;", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ("exports.handler = (", "Runtime.UserCodeSyntaxError", "SyntaxError"),
        ("exports.handler = async () => process.exit(4);", "Runtime.ExitError", "exit status 4"),
        (
            "exports.handler = () => { setTimeout(() => { throw new Error('late'); }, 1); };",
            "Runtime.ExitError",
            "exit status 1",
        ),
        (  # when all threads of the process have come to their work
            "exports.handler = () => new Promise(() => setTimeout(() => process.exit(5), 500));",
            "Runtime.ExitError",
            "exit status 5",
        ),
    ],
)
def test_a_broken_function_says_how_it_is_broken(cloud, source, error_type, message):
    """Error types and words as AWS has them."""
    name = f"node-{abs(hash(source))}"
    node(cloud, name, source)
    answer = cloud.invoke(name)
    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == error_type
    assert message in answer.payload["errorMessage"]


def test_the_console_writes_log_lines_as_on_aws(cloud):
    """Time, request id, level and text, on one line."""
    node(cloud, "logs", "exports.handler = async (e, context) => { console.warn('a\\nb', { c: 1 }); };")
    answer = cloud.invoke("logs")
    request_id = answer.log.split("RequestId: ")[1].split()[0]
    assert f"\t{request_id}\tWARN\ta\rb {{ c: 1 }}\n" in answer.log


def test_the_aws_sdk_is_there_and_reaches_the_embedded_aws(cloud):
    """CDK's handlers load it without carrying it."""
    cloud.client("s3").create_bucket(
        Bucket="from-node", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    source = """
        {load}
        const s3 = new S3({{}});
        {export} async () => (await s3.listBuckets({{}})).Buckets.map((bucket) => bucket.Name);
    """
    common = source.format(load='const {S3} = require("@aws-sdk/client-s3");', export="exports.handler =")
    module = source.format(load='import {S3} from "@aws-sdk/client-s3";', export="export const handler =")
    node(cloud, "sdk-common", common)
    node(cloud, "sdk-module", module, "index__mjs")
    assert "from-node" in cloud.invoke("sdk-common").payload
    assert "from-node" in cloud.invoke("sdk-module").payload


def test_an_https_answer_to_the_host_of_the_endpoint_arrives(cloud):
    """CDK's handlers put their answer to host and path of a URL, over https and without its port."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="answers", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": "answers", "Key": "answer"}))
    source = """
        const https = require("https");
        exports.handler = ({ hostname, path }) => new Promise((resolve, reject) => {
          const headers = { "content-type": "", "content-length": 2 };
          const request = https.request({ hostname, path, method: "PUT", headers }, (response) => {
            response.resume();
            resolve(response.statusCode);
          });
          request.on("error", reject);
          request.end("ok");
        });
    """
    node(cloud, "answers", source)
    answer = cloud.invoke("answers", {"hostname": url.hostname, "path": f"{url.path}?{url.query}"})
    assert answer.payload == 200
    assert s3.get_object(Bucket="answers", Key="answer")["Body"].read() == b"ok"


def test_a_handler_that_never_yields_is_stopped(cloud):
    """The time-out does not depend on the handler's event loop."""
    node(cloud, "spins", "exports.handler = async () => { for (;;); };", Timeout=1)
    answer = cloud.invoke("spins")
    assert answer.payload["errorType"] == "Sandbox.Timedout"
