"""BlazingText on fastText, whose models it shares.

`skipgram` and `cbow` train with fastText as it is, and so does `supervised` without early stopping. With
it, epochs must be told apart, which fastText's Python package cannot: then `sgd` takes fastText's steps one
by one, on the matrices of a fastText model.

Differences from AWS: `batch_skipgram` trains as skipgram; there is no evaluation on WordSimilarity-353, which
is not part of fastText, hence no `train:mean_rho`; negative sampling is fastText's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fasttext

from ..codecs import JSON, Refused, base_type, to_text
from .blazingtext_parameters import MODES, SUPERVISED, validated
from .job import Job, UserError, say
from .sgd import EpochTrainer

DEFAULT_ACCEPT = JSON
_JSON_LINES = "application/jsonlines"
_LABEL = "__label__"


def train(job: Job) -> None:
    """Train in the mode that the hyperparameters name; `model.bin`, or `vectors.txt` and `vectors.bin`."""
    try:
        values = validated(job.hyperparameters)
        job.check_channels(("train", "validation"), ("File", "FastFile"))
    except UserError as error:
        message = f"Unable to initialize the algorithm. Failed to validate input: {error}"
        raise UserError(message) from error
    with job.model() as folder:
        if values["mode"] == SUPERVISED:
            _classify(job, values, folder)
        else:
            _embed(job, values, folder)


def _classify(job: Job, values: dict[str, Any], folder: Path) -> None:
    training = _joined(job.files("train"), folder / "train.txt")
    validation_files = job.files("validation")
    validation = _joined(validation_files, folder / "validation.txt") if validation_files else None
    for name, file in (("train", training), ("validation", validation)):
        if file is not None:
            _check_labels(file, name)
    started = time.monotonic()
    if values["early_stopping"]:
        if validation is None:
            raise UserError("early_stopping requires a validation channel")
        model = _stop_early(training, validation, values)
    else:
        model = fasttext.train_supervised(str(training), epoch=values["epochs"], **_options(values))
    say("Training finished.")
    say(f"Total training time in seconds: {time.monotonic() - started:.2f}")
    for name, file in (("train", training), ("validation", validation)):
        if file is not None:
            examples, accuracy, _ = model.test(str(file))
            say(f"#{name}_accuracy: {accuracy:.4f}")
            say(f"Number of {name} examples: {examples}")
            file.unlink()
    model.save_model(str(folder / "model.bin"))


def _options(values: dict[str, Any]) -> dict[str, Any]:
    """What fastText calls the hyperparameters of classification."""
    return {
        "lr": values["learning_rate"],
        "dim": values["vector_dim"],
        "minCount": values["min_count"],
        "wordNgrams": values["word_ngrams"],
        "bucket": values["buckets"],
        "thread": _threads(),
        "label": _LABEL,
        "verbose": 0,
    }


def _threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stop_early(training: Path, validation: Path, values: dict[str, Any]) -> Any:
    """The model of the epoch with the best validation accuracy.

    Training ends when, from `min_epochs` on, `patience` epochs in a row have not bettered it.
    """
    # No epoch: the vocabulary, and matrices at their beginning.
    model = fasttext.train_supervised(str(training), epoch=0, **_options(values))
    trainer = EpochTrainer(model, training, values["epochs"], values["learning_rate"])
    best, stale = -1.0, 0
    for epoch in range(1, values["epochs"] + 1):
        trainer.train_epoch()
        accuracy = model.test(str(validation))[1]
        say(f"-------------- End of epoch: {epoch}")
        say(f"Validation accuracy: {accuracy:.6f}")
        if accuracy > best:
            best, stale = accuracy, 0
            say("Validation accuracy improved! Storing best weights...")
            trainer.keep()
            continue
        stale += 1
        say(f"Validation accuracy has not improved for the last {stale} epochs.")
        if stale >= values["patience"] and epoch >= values["min_epochs"]:
            say(f"Reached patience. Terminating training at epoch {epoch}. Loading best weights...")
            break
    trainer.restore()
    return model


def _embed(job: Job, values: dict[str, Any], folder: Path) -> None:
    training = _joined(job.files("train"), folder / "train.txt")
    if values["evaluation"]:
        say("localaws: no evaluation: WordSimilarity-353 is not at hand, so there is no mean_rho")
    if values["mode"] == "batch_skipgram":
        say("localaws: batch_skipgram trains as skipgram")
    model = fasttext.train_unsupervised(
        str(training),
        model=MODES[values["mode"]],
        epoch=values["epochs"],
        lr=values["learning_rate"],
        dim=values["vector_dim"],
        minCount=values["min_count"],
        bucket=values["buckets"] if values["subwords"] else 0,
        minn=values["min_char"] if values["subwords"] else 0,
        maxn=values["max_char"] if values["subwords"] else 0,
        ws=values["window_size"],
        neg=values["negative_samples"],
        t=values["sampling_threshold"],
        thread=_threads(),
        verbose=0,
    )
    training.unlink()
    with (folder / "vectors.txt").open("w", encoding="utf-8") as file:
        words = model.words
        file.write(f"{len(words)} {values['vector_dim']}\n")
        for word in words:
            file.write(f"{word} {' '.join(f'{value:.6g}' for value in model.get_word_vector(word))}\n")
    model.save_model(str(folder / "vectors.bin"))
    say(f"Vocabulary size: {len(words)}")


def _joined(files: Sequence[Path], target: Path) -> Path:
    """One file of all lines, since fastText reads one."""
    with target.open("wb") as out:
        for file in files:
            content = file.read_bytes()
            out.write(content if content.endswith(b"\n") else content + b"\n")
    return target


def _check_labels(file: Path, channel: str) -> None:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith(_LABEL):
                place = f"Line {number} of the {channel} channel"
                raise UserError(f"{place} does not begin with {_LABEL}: {line[:60].strip()!r}")


class Predictor:
    """The model of a folder, behind BlazingText's requests."""

    def __init__(self, folder: Path) -> None:
        found = [folder / name for name in ("model.bin", "vectors.bin") if (folder / name).is_file()]
        if not found:
            raise FileNotFoundError(f"{folder} holds neither model.bin nor vectors.bin")
        self._model = fasttext.load_model(str(found[0]))
        self._classifies = found[0].name == "model.bin"

    def answer(self, body: bytes, content_type: str, _accept: str) -> tuple[bytes, str]:
        """The labels with their probabilities, or a word's vector, for each text; raises Refused.

        JSON is `{"instances": [text, …], "configuration": {"k": 1}}`, a JSON line `{"source": text, "k": 1}`.
        """
        kind = base_type(content_type)
        text = to_text(body)
        if kind == JSON:
            request = _parsed(text)
            instances = request.get("instances") if isinstance(request, dict) else None
            if not isinstance(instances, list) or not all(isinstance(item, str) for item in instances):
                raise Refused(400, 'send {"instances": [text, ...]}')
            k = _k(request.get("configuration", {}))
            return json.dumps([self._answer(item, k) for item in instances]).encode(), JSON
        if kind == _JSON_LINES:
            answers = [self._answer_line(line) for line in text.splitlines() if line.strip()]
            return "".join(f"{json.dumps(answer)}\n" for answer in answers).encode(), _JSON_LINES
        raise Refused(415, f"content type {content_type!r} is not supported: send {JSON} or {_JSON_LINES}")

    def _answer_line(self, line: str) -> dict[str, Any]:
        request = _parsed(line)
        source = request.get("source") if isinstance(request, dict) else None
        if not isinstance(source, str):
            raise Refused(400, f'a line is no {{"source": text}}: {line[:60]!r}')
        return self._answer(source, _k(request))

    def _answer(self, text: str, k: int) -> dict[str, Any]:
        line = text.replace("\n", " ")
        if not self._classifies:
            return {"vector": self._model.get_word_vector(line).tolist(), "word": text}
        labels, probabilities = self._model.predict(line, k=k)
        return {"prob": [min(float(value), 1.0) for value in probabilities], "label": list(labels)}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from error


def _k(configuration: Any) -> int:
    k = configuration.get("k", 1) if isinstance(configuration, dict) else None
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise Refused(400, f"k must be a whole number from 1 on, not {k!r}")
    return k
