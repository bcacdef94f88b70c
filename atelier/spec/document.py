"""Reads a YAML 1.2 file into a tree in which every value knows its line and column.

The tree is built from the parser's events rather than by ruamel's composer: that bounds depth and the
expansion of aliases before they cost anything, takes no Python recursion, and finds all duplicate keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError

from atelier.spec.problems import Problem, SpecError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 20_000
"""With every alias counted as what it stands for, so that a few nested aliases cannot fill the memory."""

SHOWN = 5
"""How many items of a list an error shows."""
MERGE_KEY = "<<"
TEXT_TAG = "tag:yaml.org,2002:str"
Steps: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Node:
    """A value of the file and the place where it is written; line and column count from 1."""

    value: Any
    """A scalar, a list of nodes, or a dictionary from text to node."""
    line: int
    column: int
    written: str = ""
    """A scalar as the file spells it: `0042`, where the value is 42."""
    key_line: int = 0
    """Where the key of this value stands, when it is a mapping's value; else 0."""
    key_column: int = 0
    path: Steps = ()
    """From the top of the file; an alias's value has the path of the alias and the line of its anchor."""

    def plain(self) -> Any:
        """The value without places: dictionaries, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def find(self, path: Steps) -> Node:
        """The node at `path`, or the deepest one on the way there.

        Steps that are not in the file are passed over, since pydantic names the member of a union or
        a validator on the way to a value.
        """
        node = self
        for step in path:
            node = node._child(step) or node
        return node

    def _child(self, step: str | int) -> Node | None:
        if isinstance(self.value, dict):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            child: Node = self.value[step]
            return child
        return None

    def shown(self) -> str:
        """The value as an error shows it."""
        if isinstance(self.value, dict):
            return "{" + ", ".join(self.value) + "}"
        if isinstance(self.value, list):
            more = ["…"] if len(self.value) > SHOWN else []
            return "[" + ", ".join([*(child.shown() for child in self.value[:SHOWN]), *more]) + "]"
        return self.written


def dotted(path: Steps) -> str:
    """A path as people write it: `jobs.curve.instances[1]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def merge(base: Node | None, patch: Node) -> Node:
    """`base` with `patch` merged over it as a JSON Merge Patch (RFC 7396).

    Mappings merge key by key, everything else is replaced, null removes the key. Every value keeps the place
    where it is written, in the base or in the patch.
    """
    if not isinstance(patch.value, dict):
        return patch
    under = base if base and isinstance(base.value, dict) else replace(patch, value={})
    merged: dict[str, Node] = dict(under.value)
    for key, value in patch.value.items():
        if value.value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return replace(under, value=merged)


def read(file: Path) -> Node:
    """The mapping that `file` holds.

    Raises:
        SpecError: the file cannot be read, is no UTF-8, no YAML, or no mapping.
    """
    root = _Builder(file).build(_text(file))
    if not isinstance(root.value, dict):
        empty = root.value is None
        _refuse(
            file,
            "the file is empty" if empty else f"the file holds {_kind(root)}, not a mapping",
            "start with:  team: <name>",
            line=0 if empty else root.line,
            column=root.column,
        )
    return root


def _kind(node: Node) -> str:
    return "a list" if isinstance(node.value, list) else f"only the text {node.written[:40]!r}"


def _refuse(
    file: Path, reason: str, remedy: str, *, line: int = 0, column: int = 0, value: str = "", path: str = ""
) -> None:
    raise SpecError([Problem(file, line, column, path, value, reason, remedy)])


def _text(file: Path) -> str:
    if file.is_dir():
        _refuse(file, "is a folder, not a file", "name the YAML file of one team")
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        _refuse(file, "there is no such file", "name a file in teams/, or write one")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        _refuse(
            file,
            f"cannot be read: {getattr(error, 'strerror', None) or error}",
            "check the path and its permissions",
        )
    if len(content) > MAX_BYTES:
        _refuse(
            file, "is larger than 1 MiB", "a team file holds a few hundred lines; is this the right file?"
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]:
        _refuse(file, "is encoded as UTF-16 or UTF-32", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        _refuse(
            file,
            f"byte {content[error.start]:#04x} is not UTF-8",
            "save the file as UTF-8",
            line=before.count(b"\n") + 1,
            column=error.start - (before.rfind(b"\n") + 1) + 1,
        )
        raise


def _based_integer(text: str) -> int:
    return int(text, 0)


# YAML 1.2's core schema: what a scalar without quotes means.
_SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,300}"), int),
    (re.compile(r"0o[0-7]{1,300}"), _based_integer),
    (re.compile(r"0x[0-9a-fA-F]{1,300}"), _based_integer),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda _: float("nan")),
)


def _scalar(text: str) -> Any:
    for pattern, convert in _SCALARS:
        if pattern.fullmatch(text):
            return convert(text)
    return text


@dataclass
class _Open:
    """A mapping or list whose end is still to come."""

    line: int
    column: int
    anchor: str | None
    is_mapping: bool
    nodes_before: int
    height: int = 1
    items: list[Node] = field(default_factory=list)
    """A mapping's keys and values in turn, or a list's items."""


@dataclass(frozen=True)
class _Anchor:
    node: Node
    size: int
    height: int


class _Builder:
    """Turns the parser's events into a `Node`; notes what is wrong on the way."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self._anchors: dict[str, _Anchor] = {}
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._nodes = 0

    def build(self, text: str) -> Node:
        """The whole document.

        Raises:
            SpecError: with everything that is wrong with the YAML itself.
        """
        for event in self._events(text):
            self._take(event)
        if self._problems:
            raise SpecError(self._problems)
        return _with_paths(self._root or Node(None, 1, 1), ())

    def _events(self, text: str) -> Iterator[Any]:
        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            reason = " ".join(filter(None, [error.context, error.problem]))
            raise self._stop(line, column, f"is no YAML: {reason}", _syntax_remedy(text, line)) from None
        except ReaderError as error:
            before = text[: error.position]
            column = error.position - before.rfind("\n")
            reason = f"holds the control character {error.character!r}"
            raise self._stop(before.count("\n") + 1, column, reason, "remove the character") from None
        # ruamel trips over some malformed escapes, tags and directives with plain Python exceptions.
        except (YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
            remedy = "check quotes, escapes, tags and % directives"
            raise self._stop(0, 0, f"is no YAML: {error}", remedy) from None

    def _stop(self, line: int, column: int, reason: str, remedy: str) -> SpecError:
        return SpecError([*self._problems, Problem(self._file, line, column, "", "", reason, remedy)])

    def _note(self, at: Node, reason: str, remedy: str) -> None:
        self._problems.append(Problem(self._file, at.line, at.column, "", at.shown(), reason, remedy))

    def _take(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        match event:
            case DocumentStartEvent() if self._root is not None:
                raise self._stop(line, column, "a second YAML document begins here", "one team, one file")
            case AliasEvent(anchor=name):
                self._add_alias(Node(None, line, column, f"*{name}"), name)
            case ScalarEvent(value=text, anchor=anchor):
                quoted = event.style is not None or event.tag == TEXT_TAG
                node = Node(text if quoted else _scalar(text), line, column, text)
                self._refuse_tag(event, node)
                self._add(node, anchor, self._nodes)
            case CollectionStartEvent(anchor=anchor):
                self._refuse_tag(event, Node(None, line, column))
                is_mapping = isinstance(event, MappingStartEvent)
                self._open.append(_Open(line, column, anchor, is_mapping, self._nodes))
                self._refuse_excess(line, column)
            case CollectionEndEvent():
                done = self._open.pop()
                value = self._mapping(done.items) if done.is_mapping else done.items
                self._add(Node(value, done.line, done.column), done.anchor, done.nodes_before, done.height)

    def _add(self, node: Node, anchor: str | None, nodes_before: int, height: int = 0) -> None:
        """Put a finished node into what is open around it."""
        self._nodes += 1
        if anchor is not None:
            self._anchors[anchor] = _Anchor(node, self._nodes - nodes_before, height)
        if self._open:
            parent = self._open[-1]
            parent.items.append(node)
            parent.height = max(parent.height, height + 1)
        else:
            self._root = node
        self._refuse_excess(node.line, node.column, height)

    def _add_alias(self, alias: Node, name: str) -> None:
        target = self._anchors.get(name)
        if target is None:
            self._note(alias, f"no anchor &{name} is complete above this alias", "define the anchor first")
            target = _Anchor(alias, 1, 0)
        before = self._nodes
        self._nodes += target.size - 1
        self._add(target.node, None, before, target.height)

    def _refuse_excess(self, line: int, column: int, height: int = 0) -> None:
        if len(self._open) + height > MAX_DEPTH:
            raise self._stop(
                line, column, f"is nested more than {MAX_DEPTH} deep", "a team file needs about eight"
            )
        if self._nodes > MAX_NODES:
            reason = f"holds more than {MAX_NODES} values, counting what aliases stand for"
            raise self._stop(line, column, reason, "use fewer aliases, or split the team")

    def _refuse_tag(self, event: Any, node: Node) -> None:
        tag = str(event.tag) if event.tag is not None else ""
        if tag not in {"", "!", TEXT_TAG}:
            self._note(node, f"the tag {tag} means nothing in a team file", "remove the tag")

    def _mapping(self, items: list[Node]) -> dict[str, Node]:
        """Keys and values as a dictionary; a merge key's mappings lie under the mapping's own keys."""
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key.value == MERGE_KEY:
                for other in value.value if isinstance(value.value, list) else [value]:
                    if isinstance(other.value, dict):
                        merged = {**other.value, **merged}
                    else:
                        self._note(other, "`<<` merges mappings only", "name the anchor of a mapping")
            elif not isinstance(key.value, str):
                remedy = f'put it in quotes: "{key.written}"' if key.written else "write  key: value"
                self._note(key, "a key must be text", remedy)
            elif key.value in own:
                first = own[key.value].key_line
                self._note(key, f"this key is already used in line {first}", "keep one of the two")
            else:
                own[key.value] = replace(value, key_line=key.line, key_column=key.column)
        return {**merged, **own}


def _syntax_remedy(text: str, line: int) -> str:
    written = text.split("\n")[line - 1] if 0 < line <= text.count("\n") + 1 else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return "indent with spaces; YAML allows no tabs there"
    if written.lstrip()[:1] in {"@", "`", "%", "*", "&", "!"} or ": " in written.partition(": ")[2]:
        return "put the value in quotes"
    return "check the indentation, colons, brackets and quotes here and in the line above"


def _with_paths(node: Node, path: Steps) -> Node:
    if isinstance(node.value, dict):
        value: Any = {key: _with_paths(child, (*path, key)) for key, child in node.value.items()}
    elif isinstance(node.value, list):
        value = [_with_paths(child, (*path, index)) for index, child in enumerate(node.value)]
    else:
        value = node.value
    return replace(node, value=value, path=path)
