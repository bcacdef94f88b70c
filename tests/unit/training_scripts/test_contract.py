"""What a script's run leaves behind, however it ends."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contract
from atelier.spec.jobs import metric_pattern
from contract import AlgorithmError, PlatformError, UserError
from localaws.sagemaker.container.contract import decode_hyperparameters, to_arguments


def ended(main):
    """Run `main` under the contract; the exit code and the content of output/failure."""
    with pytest.raises(SystemExit) as end:
        contract.run(main)
    return end.value.code, Path("output/failure").read_text(encoding="utf-8")


def failing(error):
    """A main that raises."""

    def main():
        raise error

    return main


def full_disk():
    """A write that the system refuses for want of space."""
    with open("/dev/full", "w", encoding="utf-8") as file:  # noqa: PTH123 -- a device
        file.write("x")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("train/a.csv line 3: 3 columns"), 10, "UserError: train/a.csv line 3: 3 columns"),
        (AlgorithmError("diverged"), 20, "AlgorithmError: diverged"),
        (PlatformError("no GPU"), 30, "PlatformError: no GPU"),
        (KeyError("x"), 20, "AlgorithmError: KeyError: 'x'"),
        (ValueError("two\nlines"), 20, "AlgorithmError: ValueError: two lines"),
        (
            MemoryError(),
            30,
            "PlatformError: out of memory (MemoryError): choose an instance with more memory",
        ),
    ],
)
def test_an_error_becomes_one_line_and_the_exit_code_of_its_family(error, code, line, capsys):
    """In output/failure, which SageMaker shows, and as the last line of the log."""
    found, failure = ended(failing(error))
    assert found == code
    assert failure.startswith(line)
    assert "\n" not in failure
    assert capsys.readouterr().err.splitlines()[-1] == failure


def test_a_full_disk_is_the_platforms_fault_also_where_a_library_hides_it(tmp_path):
    """By the error number, of the error itself or of what caused it."""

    def hidden():
        try:
            full_disk()
        except OSError as error:
            raise RuntimeError("cannot write the model") from error

    for main in (full_disk, hidden):
        code, failure = ended(main)
        assert code == 30
        assert failure.startswith("PlatformError: no space is left on the disk")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: Error code 12 (Cannot allocate memory)"),
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
        type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"),
        type("_ArrayMemoryError", (MemoryError,), {})("Unable to allocate 1 TiB"),
    ],
)
def test_want_of_memory_is_the_platforms_fault_however_it_is_told(error):
    """By the system, by torch's own memory, by a data loader whose process was killed, by a GPU, by numpy."""
    code, failure = ended(failing(error))
    assert code == 30
    assert failure.startswith("PlatformError: out of memory")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    """What was there before stays until then, and stays when the disk fills up."""
    path = tmp_path / "new" / "data.bin"
    with contract.writing(path) as file:
        file.write(b"first")
        assert not path.exists()

    def main():
        with contract.writing(path) as file:
            file.write(b"sec")
            full_disk()

    assert ended(main)[0] == 30
    assert path.read_bytes() == b"first"
    assert [found.name for found in path.parent.iterdir()] == ["data.bin"]


def test_a_long_message_is_cut_to_what_sagemaker_shows():
    """1,024 characters, of which AWS needs some itself."""
    _, failure = ended(failing(UserError("x" * 5_000)))
    assert len(failure) == contract.FAILURE_CHARS


def test_a_run_that_goes_well_leaves_no_failure_of_the_one_before():
    """By hand the folder is used again."""
    ended(failing(UserError("wrong")))
    contract.run(lambda: None)
    assert not Path("output/failure").exists()


def test_the_first_of_several_processes_says_why(monkeypatch):
    """The others fail because it is gone."""
    monkeypatch.setenv("LOCAL_RANK", "0")
    ended(failing(UserError("of an earlier run")))
    ended(failing(UserError("the cause")))
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ended(failing(RuntimeError("connection closed by peer")))[1] == "UserError: the cause"


def test_an_unforeseen_error_names_the_line_and_leaves_its_trace_in_the_log(capsys, monkeypatch):
    """Whoever wrote the script finds the place."""
    monkeypatch.setattr(contract, "CODE", Path(__file__).parent)
    _, failure = ended(failing(ZeroDivisionError("division by zero")))
    assert "(test_contract.py:" in failure
    assert "Traceback" in capsys.readouterr().err


@given(
    st.floats(allow_nan=False, allow_infinity=False), st.from_regex(r"[a-z][a-z0-9_:]{0,30}", fullmatch=True)
)
def test_a_reported_metric_is_found_by_the_metric_definitions(value, name):
    """The form that the scripts print and the expression that a team's file stands for go together."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda text, **_: lines.append(text))
        contract.report(name, value)
    found = re.search(metric_pattern(name), lines[0])
    assert found is not None
    assert float(found[1]) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_ends_the_run(value):
    """Training on after that would be of no use, and no expression would find it."""
    with pytest.raises(AlgorithmError, match=r"metric train:loss is (nan|inf): the training diverged"):
        contract.report("train:loss", value)


def test_a_model_is_saved_whole(tmp_path, monkeypatch):
    """Files, folders, a manifest, and the code that serves it; nothing else."""
    code = tmp_path / "script"
    code.mkdir()
    for name in ("train.py", "inference.py", "network.py", "example.py", "requirements.txt"):
        (code / name).write_text("pytest==9\n", encoding="utf-8")
    monkeypatch.setattr(contract, "CODE", code)
    monkeypatch.setenv("TRAINING_JOB_NAME", "job-1")
    Path("data/train").mkdir(parents=True)
    Path("data/train/a.csv").write_text("1,2", encoding="utf-8")
    contract.report("rmse", 1.5)
    with contract.saving() as folder:
        (folder / "000000001").mkdir()
        (folder / "000000001" / "model").write_text("m", encoding="utf-8")
    files = {str(path.relative_to("model")) for path in Path("model").rglob("*") if path.is_file()}
    served = {"code/inference.py", "code/network.py", "code/requirements.txt"}
    assert files == {"000000001/model", "manifest.json", *served}
    manifest = json.loads(Path("model/manifest.json").read_text(encoding="utf-8"))
    assert manifest["job"] == "job-1"
    assert manifest["metrics"] == {"rmse": 1.5}
    assert manifest["versions"]["pytest"] == pytest.__version__
    assert set(manifest["data"]) == {"train"}


def test_a_model_is_saved_over_the_one_before():
    """By hand the folder is used again; what is not the model's stays."""
    for content in ("old", "new"):
        with contract.saving() as folder:
            (folder / "1").mkdir()
            (folder / "1" / content).write_text(content, encoding="utf-8")
    assert [path.name for path in Path("model/1").iterdir()] == ["new"]


def test_nothing_half_written_is_left_in_the_model_folder():
    """The disk fills up while the model is written."""

    def main():
        with contract.saving() as folder:
            (folder / "weights").write_text("half", encoding="utf-8")
            full_disk()

    assert ended(main)[0] == 30
    assert list(Path("model").iterdir()) == []


def test_a_library_that_does_not_say_why_it_cannot_write_is_understood(monkeypatch):
    """MXNet speaks of an incomplete stream; that the disk is full can be seen."""
    usage = SimpleNamespace(free=0)

    def main():
        with contract.saving():
            monkeypatch.setattr(contract.shutil, "disk_usage", lambda _: usage)
            raise RuntimeError("FileStream.Write incomplete")

    code, failure = ended(main)
    assert (code, failure[:46]) == (30, "PlatformError: no space is left on the disk: g")
    usage.free = 2**30
    assert ended(main)[0] == 20


def test_a_stopped_script_leaves_nothing_half_written(tmp_path):
    """SageMaker stops a job with SIGTERM, and uploads what the model folder holds."""
    program = """
import time, contract
def main():
    with contract.saving() as folder:
        (folder / "weights").write_text("half")
        print("saving", flush=True)
        time.sleep(60)
contract.run(main)
"""
    scripts = Path(contract.__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(scripts)},
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout.readline() == b"saving\n"
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 128 + signal.SIGTERM
    assert time.monotonic() - started < 10
    assert list((tmp_path / "model").iterdir()) == []


def test_the_data_digest_depends_on_names_and_contents_alone(tmp_path):
    """The same data elsewhere and later has the same digest; the folder of a file may be its label."""
    files = {
        "a": ("pos/x.txt", "1"),
        "b": ("pos/x.txt", "1"),
        "c": ("pos/x.txt", "2"),
        "d": ("neg/x.txt", "1"),
    }
    for folder, (name, content) in files.items():
        (tmp_path / folder / name).parent.mkdir(parents=True)
        (tmp_path / folder / name).write_text(content, encoding="utf-8")
    first, same, *others = (contract.digest(tmp_path / folder) for folder in files)
    assert first == same
    assert len({first, *others}) == 3
    assert first.startswith("sha256:")


def test_a_pipe_is_not_read_for_the_digest(tmp_path):
    """A channel in Pipe mode can be read once, by the script."""
    (tmp_path / "empty").mkdir()
    before = contract.digest(tmp_path)
    os.mkfifo(tmp_path / "train_0")
    assert contract.digest(tmp_path) == before


@pytest.mark.parametrize("variable", [True, False])
def test_a_channel_is_found_by_its_variable_or_by_its_place(tmp_path, monkeypatch, variable):
    """Framework images set SM_CHANNEL_TRAIN; an image of one's own has /opt/ml alone."""
    folder = tmp_path / "ml" / "input" / "data" / "train"
    folder.mkdir(parents=True)
    (tmp_path / "ml" / "input" / "config").mkdir()
    if variable:
        monkeypatch.setenv("SM_CHANNEL_TRAIN", str(folder))
    else:
        monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    assert contract.channel("train") == folder


@pytest.mark.parametrize(
    ("epoch", "now", "free", "reason"),
    [
        (2, {"epochs": 3, "rate": 0.1, "fast": False}, ["epochs"], None),
        (3, {"epochs": 3, "rate": 0.1, "fast": True}, ["epochs", "fast"], None),
        (2, {"epochs": 1, "rate": 0.1, "fast": False}, ["epochs"], "(epochs 3 then, 1 now)"),
        (
            1,
            {"epochs": 3, "rate": 0.5, "fast": True},
            ["epochs"],
            "(rate 0.1 then, 0.5 now, fast False then, True",
        ),
        (1, {"epochs": 3, "rate": 0.1, "fast": False, "new": 1}, ["epochs"], "(new None then, 1 now)"),
    ],
)
def test_a_run_goes_on_only_with_the_hyperparameters_of_the_one_before(epoch, now, free, reason):
    """But for those that are free, and for more epochs: the manifest is true of all that was trained."""
    then = {"epochs": 3, "rate": 0.1, "fast": False}
    if reason is None:
        contract.check_resumable(epoch, then, now, free=free)
        return
    with pytest.raises(contract.UserError, match="remove the checkpoints") as caught:
        contract.check_resumable(epoch, then, now, free=free)
    assert f"the checkpoint is of a run with other hyperparameters {reason}" in str(caught.value)


def test_a_missing_channel_is_named():
    """With what to do about it: the one thing by hand, another in a job."""
    with pytest.raises(UserError, match="channel 'train' is missing: put its files into data/train"):
        contract.channel("train")
    assert contract.channel("weights", required=False) is None


def test_a_preparation_reads_and_writes_where_processing_jobs_do(tmp_path, monkeypatch):
    """Its failure goes where DescribeProcessingJob looks for it: ExitMessage."""
    base = tmp_path / "ml"
    (base / "config").mkdir(parents=True)
    (base / "processing" / "input" / "raw").mkdir(parents=True)
    (base / "output").mkdir()
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base))
    assert contract.prepare_input("raw") == base / "processing" / "input" / "raw"
    assert contract.prepare_output("train").is_dir()
    with pytest.raises(SystemExit):
        contract.run(lambda: contract.prepare_input("other") and None)
    message = (base / "output" / "message").read_text(encoding="utf-8")
    assert message.startswith("UserError: input 'other' is missing")


SCRIPT = """
import contract
def main():
    given = contract.parameters(__file__)
    contract.report("score", given.rate)
    with contract.saving() as folder:
        (folder / "model").write_text(contract.channel("train").name)
contract.run(main)
"""


@pytest.mark.parametrize("generation", [2, 3])
def test_a_script_runs_as_either_generation_of_the_sdk_launches_it(tmp_path, generation):
    """The code in a folder of its own or as a channel; arguments sorted, or in the order they were given."""
    base = tmp_path / "ml"
    code = base / {2: "code", 3: "input/data/code"}[generation]
    for folder in (code, base / "input/config", base / "input/data/train", base / "input/data/sm_drivers"):
        folder.mkdir(parents=True)
    declared = {"rate": {"type": "number", "default": 0.1}, "name": {"type": "string", "default": "a"}}
    (code / "hyperparameters.json").write_text(json.dumps(declared), encoding="utf-8")
    (code / "train.py").write_text(SCRIPT, encoding="utf-8")
    (code / "contract.py").symlink_to(contract.__file__)
    (base / "input/data/train/a.csv").write_text("1,2", encoding="utf-8")
    given = {"rate": 0.5, "name": "two words"}
    if generation == 2:
        raw = {name: json.dumps(value) for name, value in given.items()} | {"sagemaker_program": '"train.py"'}
        arguments = to_arguments(decode_hyperparameters(raw))
    else:
        arguments = ["--rate", "0.5", "--name", "two words"]  # texts as they are, all else as JSON
    channels = {2: ("train",), 3: ("train", "code", "sm_drivers")}[generation]
    variables = {f"SM_CHANNEL_{name.upper()}": str(base / "input/data" / name) for name in channels}
    variables |= {"SM_MODEL_DIR": str(base / "model"), "SM_OUTPUT_DIR": str(base / "output")}
    subprocess.run(
        [sys.executable, "train.py", *arguments],
        cwd=code,
        env=os.environ | variables | {"SAGEMAKER_BASE_DIR": str(base)},
        check=True,
    )
    manifest = json.loads((base / "model/manifest.json").read_text(encoding="utf-8"))
    assert manifest["hyperparameters"] == given
    assert manifest["metrics"] == {"score": 0.5}
    assert set(manifest["data"]) == {"train"}
    assert (base / "model/model").read_text(encoding="utf-8") == "train"


def test_a_request_is_refused_with_its_status():
    """Without AWS's toolkit the error carries the status itself."""
    error = contract.refusal(415, "send CSV")
    assert (error.status_code, str(error)) == (415, "send CSV")
