"""The built-in BlazingText on fastText."""

from __future__ import annotations

import json
import random
import re

import pytest

pytestmark = pytest.mark.heavy

IMAGE = "685385470294.dkr.ecr.eu-west-1.amazonaws.com/blazingtext:1"
READER = """
import json, sys
import fasttext
model = fasttext.load_model(sys.argv[1])
print(json.dumps([model.predict("ball goal team")[0], model.get_dimension(), len(model.labels)]))
"""
TOPICS = {"Sport": ["ball", "goal", "team", "win"], "Music": ["song", "band", "tune", "voice"]}


def lines(count, seed):
    """Lines of two topics, half of whose words tell which."""
    chance = random.Random(seed)  # noqa: S311 -- example texts
    for _ in range(count):
        topic = chance.choice(list(TOPICS))
        words = [*chance.choices(TOPICS[topic], k=4), *chance.choices([f"w{n}" for n in range(50)], k=4)]
        yield f"__label__{topic} {' '.join(words)}"


def texts(lab):
    """The two channels."""
    lab.put("train/1", "\n".join(lines(300, 1)))
    lab.put("train/2", "\n".join(lines(300, 2)))
    lab.put("validation/v", "\n".join(lines(200, 3)))
    return [lab.channel("train"), lab.channel("validation")]


STOPPING = {
    "mode": "supervised",
    "epochs": "20",
    "min_count": "2",
    "learning_rate": "0.5",
    "vector_dim": "10",
    "early_stopping": "True",
    "patience": "2",
    "min_epochs": "4",
    "word_ngrams": "2",
}


def test_a_classifier_trains_until_it_betters_no_more_and_serves(lab, tmp_path):
    """Epochs, best weights, AWS's accuracy lines, a model that fastText opens, AWS's requests and answers."""
    job = lab.built_in("topics", IMAGE, STOPPING, texts(lab))
    log = lab.job_log("topics")
    assert job["TrainingJobStatus"] == "Completed", log
    accuracies = [float(line.split()[-1]) for line in log if line.startswith("Validation accuracy: ")]
    best = accuracies.index(max(accuracies)) + 1
    assert len(accuracies) == max(4, best + 2)
    assert any(line.startswith("Reached patience") for line in log)
    assert f"#validation_accuracy: {max(accuracies):.4f}" in log
    assert max(accuracies) > 0.95
    assert any(re.fullmatch(r"#train_accuracy: [01]\.\d{4}", line) for line in log)
    assert "Number of train examples: 600" in log

    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert lab.serve("topics", IMAGE, data)["EndpointStatus"] == "InService"
    request = {"instances": ["ball goal team", "song band"], "configuration": {"k": 2}}
    answer = json.loads(lab.invoke("topics", json.dumps(request))["Body"].read())
    assert [item["label"][0] for item in answer] == ["__label__Sport", "__label__Music"]
    assert all(len(item["prob"]) == 2 and sum(item["prob"]) == pytest.approx(1, abs=0.01) for item in answer)
    rows = '{"source": "ball goal"}\n{"source": "tune", "k": 2}\n'
    answer = lab.invoke("topics", rows, "application/jsonlines")["Body"].read().decode().splitlines()
    assert [len(json.loads(line)["label"]) for line in answer] == [1, 2]
    for body, kind, status in (("{}", "application/json", 400), ("x", "text/csv", 415)):
        with pytest.raises(lab.runtime.exceptions.ModelError) as error:
            lab.invoke("topics", body, kind)
        assert error.value.response["OriginalStatusCode"] == status
    lab.sagemaker.delete_endpoint(EndpointName="topics")


def test_without_early_stopping_all_epochs_are_fasttexts_own(lab):
    """The accuracy lines come all the same."""
    values = {
        "mode": "supervised",
        "epochs": "10",
        "min_count": "1",
        "learning_rate": "0.5",
        "vector_dim": "8",
    }
    job = lab.built_in("plain", IMAGE, values, texts(lab))
    log = lab.job_log("plain")
    assert job["TrainingJobStatus"] == "Completed", log
    assert not any("Validation accuracy:" in line for line in log)
    assert any(line.startswith("#validation_accuracy: ") for line in log)


def test_word_vectors_are_written_as_text_and_binary(lab):
    """One vector a word of the vocabulary, and the words' vectors from the endpoint."""
    values = {"mode": "batch_skipgram", "epochs": "1", "min_count": "1", "vector_dim": "4"}
    lab.put("train/1", "one two three two one\n" * 50)
    job = lab.built_in("words", IMAGE, values, [lab.channel("train")])
    assert job["TrainingJobStatus"] == "Completed", lab.job_log("words")
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert lab.serve("words", IMAGE, data)["EndpointStatus"] == "InService"
    (answer,) = json.loads(lab.invoke("words", '{"instances": ["two"]}')["Body"].read())
    assert (answer["word"], len(answer["vector"])) == ("two", 4)
    lab.sagemaker.delete_endpoint(EndpointName="words")


@pytest.mark.parametrize(
    ("values", "lines", "reason"),
    [
        ({}, "__label__a b", "Missing required hyperparameter: mode"),
        ({"mode": "supervised", "epoch": "3"}, "__label__a b", "Extraneous hyperparameter found: epoch"),
        (
            {"mode": "supervised", "epochs": "0"},
            "__label__a b",
            "Hyperparameter epochs: 0 is not in [1, +inf)",
        ),
        ({"mode": "supervised", "epochs": "x"}, "__label__a b", "epochs: could not parse value 'x'"),
        ({"mode": "supervised"}, "__label__a b\nno label", "Line 2 of the train channel"),
        ({"mode": "supervised", "early_stopping": "true"}, "__label__a b", "requires a validation channel"),
    ],
)
def test_what_the_user_got_wrong_is_a_client_error(lab, values, lines, reason):
    """AWS's family of error, the name and the value."""
    lab.put("train/1", lines)
    name = f"wrong-{lab.bucket}"
    job = lab.built_in(name, IMAGE, values, [lab.channel("train")])
    assert job["FailureReason"].startswith("ClientError: ")
    assert reason in job["FailureReason"]
