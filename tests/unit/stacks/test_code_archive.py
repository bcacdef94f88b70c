"""The archive of a training script: the same wherever it is packed, and only what belongs in it."""

from __future__ import annotations

import io
import os
import tarfile

import aws_cdk as cdk
import pytest

from stacks.constructs import code_archive
from stacks.constructs.code_archive import CodeArchive


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """`pack(**files)` packs a script of these files and gives the archive's content and digest."""
    monkeypatch.setattr(code_archive, "SCRIPTS", tmp_path)
    folder = tmp_path / "script"
    folder.mkdir()

    def packed(files: dict[str, str]) -> tuple[list[tarfile.TarInfo], CodeArchive]:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        code_archive._pack.cache_clear()
        archive = CodeArchive(cdk.Stack(cdk.App(), "s"), "Code", "script")
        with tarfile.open(fileobj=io.BytesIO(code_archive._pack(folder))) as tar:
            return tar.getmembers(), archive

    packed.folder = folder
    return packed


def test_holds_the_scripts_files_and_nothing_else(pack):
    """Caches and hidden files stay out; sub-folders come along."""
    files = {
        "train.py": "",
        "lib/model.py": "",
        "__pycache__/train.pyc": "",
        ".git/x": "",
        "requirements.txt": "",
    }
    members, _ = pack(files)
    assert [member.name for member in members] == ["lib/model.py", "requirements.txt", "train.py"]


def test_is_the_same_wherever_it_is_packed(pack):
    """Owner, time and mode of the files do not show: the same content is the same asset."""
    _, first = pack({"train.py": "x"})
    os.utime(pack.folder / "train.py", (1, 1))
    (pack.folder / "train.py").chmod(0o755)
    members, second = pack({})
    assert first.digest == second.digest
    assert first.asset_hash == second.asset_hash
    assert {(member.mtime, member.uid, member.mode) for member in members} == {(0, 0, 0o644)}


def test_another_content_is_another_archive(pack):
    """The digest follows the content."""
    assert pack({"train.py": "x"})[1].digest != pack({"train.py": "y"})[1].digest


def test_serves_with_its_inference_script_when_it_has_one(pack):
    """Without inference.py, the training script serves."""
    assert pack({"train.py": ""})[1].inference_program == "train.py"
    assert pack({"inference.py": ""})[1].inference_program == "inference.py"


def test_refuses_a_folder_without_a_training_script(pack):
    """The error names the file that is missing."""
    with pytest.raises(ValueError, match=r"training_scripts/script/train\.py does not exist"):
        pack({"readme.md": ""})
