"""A folder of training_scripts/ as the archive that SageMaker's framework containers unpack."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

SCRIPTS = Path(__file__).parents[2] / "training_scripts"
TRAINING_PROGRAM = "train.py"
INFERENCE_PROGRAM = "inference.py"
DIGEST_LENGTH = 16


class CodeArchive(assets.Asset):
    """The archive, published by `cdk deploy`; `digest` is the same wherever and whenever it is packed."""

    def __init__(self, scope: Construct, id_: str, script: str, *, program: str = TRAINING_PROGRAM) -> None:
        folder = SCRIPTS / script
        if not (folder / program).is_file():
            raise ValueError(f"training_scripts/{script}/{program} does not exist")
        content = _pack(folder)
        digest = hashlib.sha256(content).hexdigest()
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch) / f"{script}.tar.gz"
            archive.write_bytes(gzip.compress(content, mtime=0))
            # Named after what is in it: compression differs between versions of zlib.
            super().__init__(
                scope, id_, path=str(archive), asset_hash=digest, asset_hash_type=cdk.AssetHashType.CUSTOM
            )
        self.digest = digest[:DIGEST_LENGTH]
        # One script may hold both: the containers then look in it for `model_fn` and the others.
        has_own = (folder / INFERENCE_PROGRAM).is_file()
        self.inference_program = INFERENCE_PROGRAM if has_own else TRAINING_PROGRAM


@cache
def _pack(folder: Path) -> bytes:
    """A tar of the folder's files: in order of their names, without owner, time or mode of their own."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in _files(folder):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden:
            yield path
