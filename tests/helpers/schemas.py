"""JSON Schemas and the tables of `docs/json-format.md`, made of the types and docstrings of the results.

    python -m tests.helpers.schemas        writes both, after a change of a result

`lstm_explain/topics/result.py` says how a result is described.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lstm_explain.topics import result as results
from lstm_explain.topics import trace
from lstm_explain.topics.registry import TOPICS

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "lstm_explain" / "render" / "schemas"
PAGE = ROOT / "docs" / "json-format.md"
HISTORY = "## Versions\n"
"""The last section of the page; that of a new topic is put before it."""
OTHERS = ("lstm_explain.apps.tour.tour", "lstm_explain.apps.quiz.sheet")
"""The modules of results that are no topics."""
LINE_WIDTH = 100
SHARED = {results.SpecJSON, results.SourceJSON, results.NonfiniteJSON}
"""Parts of the envelope, which the page describes once."""

COMMON_MEANINGS = {
    "sample": "Which sample, from 0.",
    "layer": "Which layer, from 0.",
    "direction": "Which direction.",
    "unit": "Which unit, from 0.",
    "units": "Which units, from 0, ascending.",
    "t": "The timestep, from 1.",
    "axes": "The axes, outermost first.",
    "shape": "The sizes of the axes.",
    "text": "As plain text.",
    "latex": "As LaTeX.",
    "meaning": "What it is, in one line.",
    "padded": "Whether the timestep is past the sample's length.",
    "length": "How many timesteps of this sample were run; the rest is padding.",
}
"""What keys mean that many objects have, if their attribute has no docstring."""

Schema = dict[str, Any]


class Key(NamedTuple):
    """One key of a JSON object."""

    name: str
    kind: Any
    """Its type, as `typing` has it."""
    meaning: str
    required: bool


# --- reading types and docstrings -------------------------------------------------------------------------------------


class Attribute(NamedTuple):
    """A field or property of a class."""

    kind: Any
    meaning: str


def json_results() -> list[type[results.Result]]:
    """The results that are described by types, in the order of the topics."""
    modules = [import_module(name) for name in (*(topic.module for topic in TOPICS), *OTHERS)]
    kinds = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, results.Result) and kind.__module__ == module.__name__
    ]
    return [kind for kind in kinds if "topic" in vars(kind)]


@cache
def _namespace(module: str) -> dict[str, Any]:
    """The names of a module, those that it imports for type checkers among them."""
    loaded = import_module(module)
    names = {name: getattr(typing, name) for name in typing.__all__} | dict(vars(loaded)) | {"Array": np.ndarray}
    for node in _tree(module).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for statement in node.body:
                if isinstance(statement, ast.Import):
                    names |= {alias.asname or alias.name: import_module(alias.name) for alias in statement.names}
                if isinstance(statement, ast.ImportFrom):
                    origin = import_module(statement.module or "")
                    names |= {
                        alias.asname or alias.name: getattr(origin, alias.name)
                        for alias in statement.names
                        if hasattr(origin, alias.name)
                    }
    return names


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(import_module(module)))


@cache
def attributes(kind: Any) -> dict[str, Attribute]:
    """Every field and property of a class and its bases, with the first paragraph of its docstring."""
    found: dict[str, Attribute] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("lstm_explain"):
            found |= dict(_own_attributes(base))
    return found


def _class_node(kind: type) -> ast.ClassDef:
    classes = (node for node in _tree(kind.__module__).body if isinstance(node, ast.ClassDef))
    return next(node for node in classes if node.name == kind.__name__)


def _own_attributes(kind: type) -> Iterator[tuple[str, Attribute]]:
    names = _namespace(kind.__module__)
    body = _class_node(kind).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                text = _first_paragraph(str(after.value.value))
            annotation = ast.unparse(node.annotation)
            if not annotation.startswith("ClassVar"):
                yield node.target.id, Attribute(eval(annotation, names), text)
        elif isinstance(node, ast.FunctionDef) and node.decorator_list and node.returns is not None:
            yield node.name, Attribute(eval(ast.unparse(node.returns), names), _first_paragraph(ast.get_docstring(node) or ""))


def _first_paragraph(text: str) -> str:
    """The first paragraph of a docstring, on one line, in the words of JSON."""
    return re.sub(r"\bNone\b", "null", " ".join(inspect.cleandoc(text).split("\n\n")[0].split()))


def _follow(kind: type, attribute: str) -> Attribute:
    """The type and meaning of an attribute, or of an attribute of one."""
    name, _, rest = attribute.partition(".")
    if name not in attributes(kind):
        raise LookupError(f"{kind.__qualname__} has no field or property {name} with a type")
    described = attributes(kind)[name]
    return _follow(described.kind, rest) if rest else described


def keys(kind: type) -> tuple[Key, ...]:
    """The keys of the JSON object that a class describes, in order."""
    if typing.is_typeddict(kind):
        return tuple(_typed_dict_keys(kind))
    return tuple(_record_keys(kind))


def _record_keys(kind: type) -> Iterator[Key]:
    for key, attribute in results.key_attributes(kind).items():
        described = _follow(kind, attribute)
        if key.startswith("*"):
            yield from keys(described.kind)
        else:
            name, required = key.removesuffix("?"), not key.endswith("?")
            kind_of_value = described.kind if required else _options(described.kind)[0][0]
            yield Key(name, kind_of_value, described.meaning or COMMON_MEANINGS.get(name, ""), required)


def _typed_dict_keys(kind: type) -> Iterator[Key]:
    for name, described in _all_attributes(kind):
        absent = typing.get_origin(described.kind) is typing.NotRequired
        inner = typing.get_args(described.kind)[0] if absent else described.kind
        yield Key(name, inner, described.meaning or COMMON_MEANINGS.get(name, ""), not absent)


def _all_attributes(kind: type) -> Iterator[tuple[str, Attribute]]:
    """Those of the bases of a TypedDict first, which are not among its bases when the program runs."""
    for base in _class_node(kind).bases:
        if isinstance(base, ast.Name) and base.id != "TypedDict":
            yield from _all_attributes(_namespace(kind.__module__)[base.id])
    yield from _own_attributes(kind)


def is_record(kind: Any) -> bool:
    """Whether a type is a JSON object with keys of its own."""
    return isinstance(kind, type) and (typing.is_typeddict(kind) or bool(results.key_attributes(kind)))


def closed_list(kind: Any) -> list[Any]:
    """The values of a Literal, an Enum or a `OneOf`; none of any other type."""
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    if typing.get_origin(kind) is typing.Annotated:
        return [value for extra in typing.get_args(kind) if isinstance(extra, results.OneOf) for value in extra.values]
    return [member.value for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []


def is_mapping(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_list(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Sequence)


def _options(kind: Any) -> tuple[list[Any], bool]:
    """The types of a union without None, and whether it has None."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return [kind], False
    options = typing.get_args(kind)
    return [option for option in options if option is not type(None)], type(None) in options


def records_in(kind: Any) -> Iterator[type]:
    """The types of objects that a type holds, but not those that these hold."""
    if is_record(kind):
        yield kind
    elif typing.get_origin(kind) is not typing.Literal:
        for inner in typing.get_args(kind):
            yield from records_in(inner)


# --- JSON Schema ------------------------------------------------------------------------------------------------------


def _definition_name(kind: type) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__.removesuffix("JSON")).lower()


def _schema_of(kind: Any) -> Schema:
    options, nullable = _options(kind)
    if len(options) > 1:
        return {"anyOf": [_schema_of(option) for option in [*options, *([type(None)] if nullable else [])]]}
    if nullable:
        return _with_null(_schema_of(options[0]))
    if kind in PLAIN:
        return dict(PLAIN[kind])
    if closed_list(kind):
        return {"const": closed_list(kind)[0]} if len(closed_list(kind)) == 1 else {"enum": closed_list(kind)}
    if is_record(kind):
        return {"$ref": f"#/$defs/{_definition_name(kind)}"}
    if typing.get_origin(kind) is typing.Annotated:
        return _annotated_schema(*typing.get_args(kind))
    return _container_schema(kind)


def _container_schema(kind: Any) -> Schema:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if is_mapping(kind):
        if names := closed_list(inner[0]):
            return {"type": "object", "properties": dict.fromkeys(names, _schema_of(inner[1])), "required": names}
        return {"type": "object", "additionalProperties": _schema_of(inner[1])}
    if origin is tuple and inner[-1] is not Ellipsis:
        same = all(item == inner[0] for item in inner)
        items: Schema = {"items": _schema_of(inner[0])} if same else {"prefixItems": [_schema_of(item) for item in inner]}
        return {"type": "array", **items, "minItems": len(inner), "maxItems": len(inner)}
    if is_list(kind):
        return {"type": "array", "items": _schema_of(inner[0])}
    raise TypeError(f"{kind} does not say what it is in JSON; see lstm_explain/topics/result.py")


PLAIN: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": ["number", "null"]},
    str: {"type": "string"},
    dict: {"type": "object"},
    type(None): {"type": "null"},
}


def _annotated_schema(kind: Any, *extras: Any) -> Schema:
    schema = PLAIN[float] if kind is np.ndarray else {"type": "number"} if "finite" in extras else _schema_of(kind)
    if "at least 1" in extras:
        schema = {**schema, "minimum": 1}
    for extra in extras:
        if isinstance(extra, results.Minimum):
            schema = {**schema, "minItems" if schema["type"] == "array" else "minimum": extra.value}
        elif isinstance(extra, results.Maximum):
            schema = {**schema, "maxItems" if schema["type"] == "array" else "maximum": extra.value}
        elif isinstance(extra, results.Axes):
            for _ in extra.names:
                schema = {"type": "array", "items": schema}
    return schema


def _with_null(schema: Schema) -> Schema:
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": kinds if "null" in kinds else [*kinds, "null"]}
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]}


def _object_schema(object_keys: Sequence[Key]) -> Schema:
    """The schema of an object; a dot in a key is a nested object."""
    properties: dict[str, Schema] = {}
    groups: dict[str, list[Key]] = {}
    required = []
    for key in object_keys:
        name, _, rest = key.name.partition(".")
        if rest:
            groups.setdefault(name, []).append(key._replace(name=rest))
            properties.setdefault(name, {})
        else:
            properties[name] = {"description": f"{key.meaning}{_axes_words(key.kind)}"} | _schema_of(key.kind)
        if key.required and name not in required:
            required.append(name)
    properties |= {name: _object_schema(inner) for name, inner in groups.items()}
    return {"type": "object", "properties": properties, "required": required}


def _axes_words(kind: Any) -> str:
    """The axes of an array, as they follow its description."""
    extras = [extra for option in _options(kind)[0] for extra in typing.get_args(option) if isinstance(extra, results.Axes)]
    words = " or ".join(f"[{', '.join(extra.names)}]" for extra in extras if extra.names)
    return f" {words}" if words else ""


def _reachable(object_keys: Sequence[Key]) -> Iterator[type]:
    """The types of objects under keys, each after that which holds it; some more than once."""
    for key in object_keys:
        for kind in records_in(key.kind):
            yield kind
            yield from _reachable(keys(kind))


def all_keys(kind: type[results.Result]) -> list[Key]:
    """The keys of a result with its envelope."""
    first: list[str] = ["schema", "schema_version", "tool_version"]
    first += ["spec", "source"] if issubclass(kind, results.LSTMResult) else []
    envelope = {key.name: key for key in keys(results.EnvelopeJSON)}
    return [*_with_constants([envelope[name] for name in first], kind.topic), *keys(kind), envelope["nonfinite"]]


def _with_constants(object_keys: Sequence[Key], topic: str) -> list[Key]:
    """The keys of an envelope, with the values that are the same in every object of the topic."""
    name, version = f"lstm-explain/{topic}", results.SCHEMA_VERSION
    constants = {"schema": typing.Literal[name], "schema_version": typing.Literal[version]}
    return [key._replace(kind=constants.get(key.name, key.kind)) for key in object_keys]


def schema(kind: type[results.Result]) -> Schema:
    """The JSON Schema of a topic's object."""
    object_keys = all_keys(kind)
    definitions = {
        _definition_name(part): _described_object(part, kind.topic) for part in dict.fromkeys(_reachable(object_keys))
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"lstm-explain/{kind.topic}/{results.SCHEMA_VERSION}",
        "title": f"lstm-explain {kind.topic}",
        "description": _first_paragraph(kind.__doc__ or ""),
        **_object_schema(object_keys),
        "$defs": definitions,
    }


def lines_schema() -> Schema:
    """The JSON Schema of one line of the JSON Lines of a trace."""
    lines = (trace.TraceHeader, trace.TraceLine, trace.TraceEnd)
    parts = dict.fromkeys(part for line in lines for part in (*_reachable(keys(line)), line))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"lstm-explain/trace-jsonl/{results.SCHEMA_VERSION}",
        "title": "lstm-explain trace, one line of JSON Lines",
        "description": "The first line is a header, the last an end; between them each line is one step.",
        "oneOf": [{"$ref": f"#/$defs/{_definition_name(line)}"} for line in lines],
        "$defs": {_definition_name(part): _described_object(part, "trace") for part in parts},
    }


def _described_object(kind: type, topic: str) -> Schema:
    return {"description": _first_paragraph(kind.__doc__ or ""), **_object_schema(_with_constants(keys(kind), topic))}


def schema_text(schema: Any, indent: str = "") -> str:
    """JSON in which what fits on a line is on one."""
    short = json.dumps(schema, ensure_ascii=False)
    if (len(indent) + len(short) <= LINE_WIDTH - 20 and indent) or not schema or not isinstance(schema, dict | list):
        return short
    inner = indent + "  "
    if isinstance(schema, dict):
        lines = [f"{inner}{json.dumps(key)}: {schema_text(value, inner)}" for key, value in schema.items()]
    else:
        lines = [inner + schema_text(value, inner) for value in schema]
    opening, closing = "{}" if isinstance(schema, dict) else "[]"
    return f"{opening}\n" + ",\n".join(lines) + f"\n{indent}{closing}"


def _values(schema: Schema | list[Any]) -> Iterator[Any]:
    yield from schema.values() if isinstance(schema, dict) else schema


# --- the tables of the page -------------------------------------------------------------------------------------------


def type_words(kind: Any, many: bool = False) -> str:
    """A type in the words of the page."""
    options, nullable = _options(kind)
    if len(options) > 1 or nullable:
        words = [*(word for option in options for word in _closed_words(option) or [type_words(option, many)])]
        return _alternatives([*dict.fromkeys(words), *(["null"] if nullable else [])])
    if words := _closed_words(kind):
        return _alternatives(words)
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Annotated:
        return _annotated_words(inner[0], inner[1:], many)
    plural = "s" if many else ""
    if kind in WORDS:
        return WORDS[kind] + plural
    if is_record(kind) or is_mapping(kind):
        return f"object{plural}"
    if is_list(kind):
        return f"list{plural} of {type_words(inner[0], True)}"
    raise TypeError(f"{kind} does not say what it is in JSON; see lstm_explain/topics/result.py")


def _closed_words(kind: Any) -> list[str]:
    return [f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`" for value in closed_list(kind)]


WORDS = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}


def _annotated_words(kind: Any, extras: tuple[Any, ...], many: bool) -> str:
    axes = [extra for extra in extras if isinstance(extra, results.Axes)]
    if not axes:
        return type_words(kind, many)
    if not axes[0].names:
        return type_words(float, many)
    first = "list" + "s" * many
    return first + " of lists" * (len(axes[0].names) - 1) + f" of numbers [{', '.join(axes[0].names)}]"


def _alternatives(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _table(object_keys: Sequence[Key]) -> list[str]:
    rows = [
        f"| `{key.name}` | {type_words(key.kind)} | {(key.meaning + _mapping_words(key.kind)).replace('|', '&#124;')} |"
        for key in object_keys
    ]
    return ["| key | type | meaning |", "|---|---|---|", *rows, ""]


def _mapping_words(kind: Any) -> str:
    """The keys of an object that has the same kind of value under each."""
    inner = typing.get_args(kind)
    if not is_mapping(kind):
        return ""
    names = f": {_alternatives(_closed_words(inner[0])).replace(' or ', ' and ')}" if closed_list(inner[0]) else ""
    return f" {type_words(inner[1]).capitalize()} under each key{names}."


def tables(name: str, object_keys: Sequence[Key], described: dict[type, str]) -> str:
    """The table of an object, and those of the objects in it that are not described before; adds them to `described`."""
    lines = _table(object_keys)
    waiting = [object_keys]
    while waiting:
        users: dict[type, list[str]] = {}
        for key in waiting.pop(0):
            for kind in records_in(key.kind):
                each = "each of " if type_words(key.kind).startswith("list") else ""
                users.setdefault(kind, []).append(f"{each}`{key.name}`")
        for kind, places in users.items():
            if kind in SHARED:
                continue
            title = ", ".join(places[:-1]) + " and " * (len(places) > 1) + places[-1]
            title = title[0].upper() + title[1:]
            if kind in described:
                same = "above" if described[kind] == name else f"in [{described[kind]}](#{described[kind]})"
                lines += [f"{title}: keys of {_readable(kind)}, {same}.", ""]
                continue
            described[kind] = name
            waiting.append(keys(kind))
            lines += [f"{title}: {_readable(kind)}. {_first_paragraph(kind.__doc__ or '')}", "", *_table(keys(kind))]
    return "\n".join(lines)


def _readable(kind: type) -> str:
    return f"`{_definition_name(kind)}`"


# --- the files --------------------------------------------------------------------------------------------------------


def schema_files() -> dict[str, str]:
    """The text of every schema by the stem of its file."""
    schemas = {kind.topic: schema(kind) for kind in json_results()} | {"trace-jsonl": lines_schema()}
    return {name: schema_text(found) + "\n" for name, found in schemas.items()}


def page() -> str:
    """The page with its tables made anew, between the comments that mark them."""
    described: dict[type, str] = {results.LayerSpecJSON: "the-envelope"}
    sections = {kind.topic: tables(kind.topic, keys(kind), described) for kind in json_results()}
    for kind in (results.EnvelopeJSON, results.SpecJSON, results.SourceJSON, results.WeightsJSON, results.InputsJSON):
        sections[_definition_name(kind)] = "\n".join(_table(keys(kind)))
    header = [key for key in keys(trace.TraceHeader) if key not in keys(results.OpeningJSON)]
    sections["trace_header"] = tables("trace", header, described)
    text = PAGE.read_text("utf-8")
    for result in json_results():
        text = text if f"<!-- keys of {result.topic} -->" in text else _with_section(text, result)
    for name, content in sections.items():
        start, end = f"<!-- keys of {name} -->\n", f"<!-- end of {name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise LookupError(f"docs/json-format.md must have one {start.strip()} and one {end}")
        before, rest = text.split(start)
        text = f"{before}{start}\n{content}\n{end}{rest.split(end)[1]}"
    return text


def _with_section(text: str, kind: type[results.Result]) -> str:
    """The page with a section for a result that has none: a heading, a line, and the comments that mark its tables."""
    line = _first_paragraph(kind.__doc__ or "")
    markers = f"<!-- keys of {kind.topic} -->\n<!-- end of {kind.topic} -->"
    return text.replace(HISTORY, f"## {kind.topic}\n\n{line}\n\n{markers}\n\n{HISTORY}")


def write() -> None:
    """Write the schemas and the page."""
    for name, text in schema_files().items():
        (SCHEMAS / f"{name}.json").write_text(text, "utf-8")
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    write()
