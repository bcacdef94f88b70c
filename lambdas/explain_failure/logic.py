"""What a failure means and what to do about it, from its error, its cause and the log's tail. No AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

LINE_LENGTH = 500
SUBJECT_LENGTH = 100  # what SNS allows


@dataclass(frozen=True)
class Known:
    """A cause that is recognised by a pattern: what it is called, and what to do about it."""

    pattern: re.Pattern[str]
    name: str
    remedy: str


def _known(pattern: str, name: str, remedy: str) -> Known:
    return Known(re.compile(pattern, re.IGNORECASE), name, remedy)


KNOWN = (
    # Before what its bucket's absence looks like.
    _known(
        r"jumpstart-cache|EULA|AcceptEula",
        "the pretrained model cannot be fetched",
        "see the addresses in the job's jumpstart, accept_licence, and the execution role's access to them;"
        " the embedded AWS needs the model's files in a bucket of that name",
    ),
    _known(
        r"No space left on device|Errno 28|(Insufficient|not enough) disk space|disk (is )?full"
        r"|exceeds? the (volume|storage)",
        "the disk is full",
        "raise the job's volume_gb, or write less below /opt/ml",
    ),
    _known(
        r"CUDA (error: )?out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|ResourceExhausted",
        "the GPU's memory is used up",
        "lower the batch size, use mixed precision, or name an instance type with more GPU memory",
    ),
    _known(
        r"MemoryError|(Cannot|can't|Unable to) allocate|bad_alloc|OOM-?kill|Process killed by SIGKILL"
        r"|instance type with more memory|exit ?code:? ?(137|-9)\b",
        "the memory is used up",
        "read the data in parts, or name an instance type with more memory",
    ),
    _known(
        r"ModuleNotFoundError|ImportError|No module named",
        "an import failed",
        "add the package to the script's requirements.txt, in a version that fits the framework's Python",
    ),
    _known(
        r"Segmentation fault|Illegal instruction|Fatal Python error|SIG(SEGV|ILL|ABRT|BUS|FPE)\b"
        r"|exit ?code:? ?(13[2-6]|139|-([4-8]|11))\b",
        "the program crashed in compiled code",
        "pin versions in requirements.txt that fit each other and the image; of an illegal instruction, name"
        " an instance type with a newer processor",
    ),
    _known(
        r"exec format error|executable file not found|starting container process|exec: .*permission denied"
        r"|exit ?code:? ?12[67]\b",
        "the container cannot start its program",
        "make `train` and `serve` executable and put them on the image's PATH, with an interpreter that it"
        " has, and build the image for the instance's processor",
    ),
    _known(
        r"PermissionError|Errno 13\b|Read-only file system",
        "a file may not be read or written",
        "write below SM_MODEL_DIR, SM_OUTPUT_DIR or /tmp alone: what SageMaker brings is only to be read",
    ),
    _known(
        r"No matching distribution|Could not find a version|ResolutionImpossible|InstallRequirementsError",
        "the script's requirements cannot be installed",
        "check names and versions in requirements.txt against the Python of the framework's image",
    ),
    _known(
        r"AccessDenied|is not authorized to perform|UnauthorizedOperation|Access Denied"
        r"|(unable to|could not|cannot) assume (the )?role|\(403\)|403 Forbidden",
        "a permission is missing",
        "have a platform engineer grant the named action to the role that the message names",
    ),
    _known(
        r"account-level service limit|ResourceLimitExceeded",
        "a quota of the account is used up",
        "ask for a higher quota in Service Quotas, or name another instance type",
    ),
    _known(
        r"CapacityError|Insufficient(Instance)?Capacity|Unable to provision requested ML compute capacity",
        "AWS has no capacity for any of the instance types named",
        "name more instance types, in order of preference, or start the run again later",
    ),
    _known(
        r"MaxRuntimeExceeded|MaxWaitTimeExceeded|max(imum)? ?(run|wait) ?time",
        "the time limit is reached",
        "raise the job's max_runtime_minutes, or make the run shorter",
    ),
    _known(
        r"spot (instance )?interrupt|Interrupted.*spot|SpotInterruption",
        "the spot instance was taken back",
        "start the run again; write checkpoints so that it resumes",
    ),
    _known(
        r"Cannot ?Pull|ImagePull|manifest unknown|repository .* (does not exist|not found)|ECR image",
        "the image cannot be pulled",
        "check that the image exists in the region and that the execution role may pull it",
    ),
    _known(
        r"No S3 objects found under|NoSuchKey|NoSuchBucket|404.*HeadObject",
        "data is missing",
        "upload data to every channel of the job and every input of its preparation",
    ),
    _known(
        r"Atelier\.NothingTuned",
        "tuning found no best training",
        "print the objective in the script as the job's metrics expect it, and see the trainings' logs",
    ),
    _known(
        r"health check|failed to respond to ping",
        "the model server does not answer",
        "see the log's tail: inference.py must load the model (model_fn) without an error",
    ),
    _known(
        r"Failed to (download|extract) model data|Could not (access|find) model data",
        "the model's archive cannot be loaded",
        "the training script must save its model below SM_MODEL_DIR; train again",
    ),
    _known(
        r"Atelier\.GateNotPassed",
        "the model did not pass its gate",
        "improve the data or the hyperparameters, or change the job's gate",
    ),
    _known(
        r"Atelier\.MetricMissing",
        "the gate's metric was not reported",
        "print the metric in the script as the regular expression under the job's metrics expects it",
    ),
    _known(
        r"SmokeTestFailed",
        "the endpoint does not answer its sample request",
        "compare the endpoint's sample with what inference.py takes; what served before serves again",
    ),
    _known(
        r"Throttling|Rate exceeded|TooManyRequests",
        "AWS is being called too often",
        "start the run again in a few minutes",
    ),
    _known(
        r"InternalServer(Error|Exception)|InternalFailure|ServiceUnavailable",
        "AWS had an internal error",
        "start the run again; if it lasts, see the AWS Health Dashboard",
    ),
)
GENERAL = (
    _known(
        r"Bad HTTP status|Unable to get response from algorithm",
        "the model could not predict for the batch",
        "see the log's tail: inference.py must take what the transform sends, by its content_type and split",
    ),
    _known(
        r"No training job succeeded",
        "no training of the tuning job succeeded",
        "mend what the log of the trainings says, and start the run again",
    ),
    _known(
        r"AlgorithmError|ExecuteUserScriptError|ClientError|UserError|exit ?code",
        "the script stopped with an error",
        "mend what the message says, in the data or the script, and start the run again",
    ),
    _known(
        r"Atelier\.EndpointFailed",
        "the endpoint did not come up",
        "mend what the message says and approve the model again; what served before serves on",
    ),
)
SILENT = re.compile(
    r"((\w+Error|framework error)\W*)*(((Please )?see|Please take a look at)[^:]*"
    r"|No training job succeeded.*|Unable to get response from algorithm\W*)?(exit ?code\W*\d+\W*)?",
    re.IGNORECASE,
)
"""What says no more than that something failed."""
EXCEPTION = re.compile(r"([\w.]*(Error|Exception)\b|.*Bad HTTP status).*")
"""A line of a log that says what, if anything does."""
TOOLKIT = re.compile(
    r"(?P<family>\w+: )?\w+Error:?\s+ExitCode (?P<code>-?\d+)\s+ErrorMessage \"(?P<message>.*?)\"?\s*"
    r"(ExtraInfo \".*)?(Command \".*)?",
    re.DOTALL,
)
"""How the frameworks' containers tell of a script that failed."""
UNKNOWN = Known(re.compile(""), "it failed", "see the execution in the console, and the log")


@dataclass(frozen=True)
class Explanation:
    """A failure in one line, what to do about it, and the last lines of the log."""

    cause: str
    remedy: str
    tail: tuple[str, ...]

    def text(self) -> str:
        """Several lines: cause, remedy, tail."""
        lines = [self.cause, f"Remedy: {self.remedy}."]
        if self.tail:
            lines += ["The end of the log:", *(f"  {line}" for line in self.tail)]
        return "\n".join(lines)


def explain(error: str, cause: str, tail: Sequence[str]) -> Explanation:
    """Recognise a failure, first by its reason, then by its log.

    Args:
        error: the error's name, as Step Functions reports it.
        cause: its cause: text, or JSON that describes a training job or a Lambda function's exception.
        tail: the last lines of the log, oldest first.
    """
    reason = reason_of(cause) or error
    # A reason that is more than an exit code is believed: the log may hold older troubles that were none.
    lines = tail if SILENT.fullmatch(reason) else ()
    known, line = _recognise(f"{error}: {reason}", lines)
    told = line or _without_frame(reason)
    return Explanation(f"{known.name}: {_one_line(told)}", known.remedy, tuple(map(_shorten, tail)))


def reason_of(cause: str) -> str:
    """The reason within a cause that describes a job, an endpoint or an exception; else the cause itself."""
    try:
        described = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(described, dict):
        return cause
    # A job that runs into its time limit is stopped: it has no failure reason, only a secondary status.
    keys = ("FailureReason", "ExitMessage", "errorMessage", "SecondaryStatus")
    said = [str(described[key]) for key in keys if described.get(key)]
    if described.get("ExitMessage") and SILENT.fullmatch(said[0]):
        # Of a processing job, the program's own words stand beside a reason that is its exit code alone.
        return str(described["ExitMessage"])
    return next(iter(said), cause)


def _recognise(reason: str, lines: Sequence[str]) -> tuple[Known, str | None]:
    """What the reason says; if that is nothing in particular, what a line of the log says, and that line."""
    for line in (None, *reversed(lines)):
        for known in KNOWN:
            if known.pattern.search(reason if line is None else line):
                return known, line
    exception = next((line for line in reversed(lines) if EXCEPTION.fullmatch(line)), None)
    for text in (exception or "", reason):
        for known in GENERAL:
            if known.pattern.search(text):
                return known, exception
    return UNKNOWN, exception


def _without_frame(reason: str) -> str:
    """The script's own words, without the command that started it; its exit code where it has none."""
    framed = TOOLKIT.fullmatch(reason)
    if framed is None:
        return reason
    return framed["message"].strip() or f"exit code {framed['code']}"


def _one_line(text: str) -> str:
    """On one line, without the middle of what is too long: a reason that quotes a log decides at its end."""
    line = " ".join(text.split())
    half = LINE_LENGTH // 2
    return line if len(line) <= LINE_LENGTH else f"{line[: half - 1]}…{line[-half:]}"


def _shorten(line: str) -> str:
    return line if len(line) <= LINE_LENGTH else f"{line[: LINE_LENGTH - 1]}…"


def subject(what: str) -> str:
    """The subject of a notification, which SNS wants in printable ASCII and short."""
    printable = "".join(letter for letter in what if " " <= letter <= "~")
    return f"[atelier] {printable} failed"[:SUBJECT_LENGTH]


def console_link(execution_arn: str) -> str:
    """Where the console shows an execution."""
    _, partition, _, region, *_ = execution_arn.split(":")
    domain = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}.get(
        partition, "console.aws.amazon.com"
    )
    return f"https://{region}.{domain}/states/home?region={region}#/v2/executions/details/{execution_arn}"
