"""The graphs of an ONNX model, nested as they are: where a name gets its value, and every node with the graph it stands in.

Bodies of If, Loop and Scan see the names of the graphs around them. A body of Loop or Scan also has states, given anew at
every turn; one that is handed on unchanged has the same value at every turn, so it stands for the value it began with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.onnx.tensors import text

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NODES, DEEPEST, LONGEST_NAME = 1_000_000, 50, 200
GRAPH, GRAPHS = 5, 10
"""The types of an attribute that holds graphs."""


@dataclass(eq=False)
class Scope:
    """One graph, or one call of a function: what gives each name in it its value."""

    path: str
    """Where it stands, such as `loop/body`; empty for the model's own graph."""
    outer: Scope | None = None
    """The graph around it, whose names it sees."""
    tensors: dict[str, Any] = field(default_factory=dict)
    """The tensors that it holds, by name."""
    sparse: set[str] = field(default_factory=set)
    producers: dict[str, tuple[Any, int]] = field(default_factory=dict)
    """The node that makes each name, and which of its outputs it is."""
    given: dict[str, tuple[Scope, str] | None] = field(default_factory=dict)
    """What it is given: the value of another graph, or None where that is only known when the model runs."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """What the attributes of a function stand for in this call."""
    body_of: Place | None = None
    """The node whose body it is; None for the model's own graph and for functions."""
    inputs: dict[str, int] = field(default_factory=dict)
    """The inputs of a body, and which each is."""
    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The states of a Loop or Scan by their names in its body: what the body hands on, and what they begin with outside."""

    def attribute(self, node: Any, name: str) -> Any:
        """An attribute of one of its nodes, or None; in a function it may stand for one of the call's."""
        for one in node.attribute:
            if one.name == name:
                return self.attributes.get(one.ref_attr_name) if one.ref_attr_name else one
        return None

    def home(self, name: str) -> Scope | None:
        """The nearest graph, from here outwards, in which a name has its value."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.tensors or name in scope.sparse or name in scope.producers or name in scope.given:
                return scope
            scope = scope.outer
        return None


class Place(NamedTuple):
    """A node, and where it stands."""

    node: Any
    scope: Scope
    name: str
    """The path of its graph, and its own name; its first output's or its number where it has none."""


@dataclass
class Walk:
    """The way through all graphs of a model."""

    file: str
    functions: dict[tuple[str, str], Any]
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many nodes each function has, with all that it calls: so a few functions that call each other are no long way."""

    def through(self, nodes: Any, scope: Scope, depth: int = 0) -> Iterator[Place]:
        """Every node of a graph, and of the graphs inside its nodes.

        Raises:
            InputFileError: the graphs or functions are nested too deep, or without end.
            RefusedError: there are more nodes than any model of recurrent layers has.
        """
        if depth == 0 and self._count(nodes) > MOST_NODES:
            raise RefusedError(self.file, f"it has more than {MOST_NODES:,} nodes, which no recurrent model has")
        self._check_depth(depth)
        for number, node in enumerate(nodes):
            place = Place(node, scope, _name(node, scope, number))
            yield place
            yield from self._inside(place, depth)

    def _inside(self, place: Place, depth: int) -> Iterator[Place]:
        function = self.functions.get((place.node.domain, place.node.op_type))
        if function is not None:
            yield from self.through(function.node, call_scope(place, function), depth + 1)
        for attribute, graph in _graphs(place.node):
            path = f"{place.name}/{text(attribute.name)[:LONGEST_NAME]}"
            yield from self.through(graph.node, body_scope(place, graph, path), depth + 1)

    def _count(self, nodes: Any, depth: int = 0) -> int:
        """How many nodes `through` comes by."""
        self._check_depth(depth)
        return sum(1 + self._count_inside(node, depth + 1) for node in nodes)

    def _count_inside(self, node: Any, depth: int) -> int:
        called = (node.domain, node.op_type)
        if called in self.functions and called not in self.counts:
            self.counts[called] = self._count(self.functions[called].node, depth)
        return self.counts.get(called, 0) + sum(self._count(graph.node, depth) for _, graph in _graphs(node))

    def _check_depth(self, depth: int) -> None:
        if depth > DEEPEST:
            raise InputFileError(self.file, f"its graphs or functions are nested more than {DEEPEST} deep")


def _graphs(node: Any) -> Iterator[tuple[Any, Any]]:
    """The graphs inside a node, each with the attribute that holds it."""
    for attribute in node.attribute:
        for graph in {GRAPH: [attribute.g], GRAPHS: attribute.graphs}.get(attribute.type, []):
            yield attribute, graph


def graph_scope(graph: Any, path: str = "", outer: Scope | None = None) -> Scope:
    """A graph's names. What stands in it as a tensor is a constant, also where it may be given."""
    scope = Scope(path, outer)
    scope.given = {one.name: None for one in graph.input}
    scope.tensors = {tensor.name: tensor for tensor in graph.initializer}
    scope.sparse = {tensor.values.name for tensor in graph.sparse_initializer}
    scope.producers = _producers(graph.node)
    return scope


def body_scope(place: Place, graph: Any, path: str) -> Scope:
    """The names of a graph inside a node."""
    scope = graph_scope(graph, path, place.scope)
    scope.body_of = place
    scope.inputs = {one.name: number for number, one in enumerate(graph.input)}
    for name, handed_on, start in _states(place, graph):
        scope.states[name] = handed_on, start
        if _same(handed_on, name, scope):
            scope.given[name] = (place.scope, start)
    return scope


def call_scope(place: Place, function: Any) -> Scope:
    """The names inside a call of a function: what it is given is the caller's, and it sees nothing else."""
    scope = Scope(place.name)
    actual = list(place.node.input)
    for number, name in enumerate(function.input):
        scope.given[name] = (place.scope, actual[number]) if number < len(actual) and actual[number] else None
    scope.attributes = {one.name: one for one in function.attribute_proto}
    for one in place.node.attribute:
        found = place.scope.attribute(place.node, one.name)
        if found is not None:
            scope.attributes[one.name] = found
    scope.producers = _producers(function.node)
    return scope


def _producers(nodes: Any) -> dict[str, tuple[Any, int]]:
    return {name: (node, number) for node in nodes for number, name in enumerate(node.output) if name}


def _states(place: Place, graph: Any) -> Iterator[tuple[str, str, str]]:
    """The states of a Loop or Scan: the name of each in its body, what the body hands on, and where it begins outside."""
    node = place.node
    ahead = {"Loop": 2, "Scan": 0}.get(node.op_type)  # a Loop's body is given the turn and the condition first
    if ahead is None:
        return
    many = len(node.input) - ahead
    if node.op_type == "Scan":
        scanned = place.scope.attribute(node, "num_scan_inputs")
        many -= int(scanned.i) if scanned is not None else many
    after = 1 if ahead else 0  # a Loop's body hands on the condition first
    for number in range(max(0, min(many, len(graph.input) - ahead, len(graph.output) - after))):
        yield graph.input[ahead + number].name, graph.output[after + number].name, node.input[ahead + number]


def _same(handed_on: str, name: str, scope: Scope) -> bool:
    """Whether a name stands for another, through nodes that change nothing."""
    for _ in range(DEEPEST):
        if handed_on == name:
            return name not in scope.tensors
        node, _ = scope.producers.get(handed_on, (None, 0))
        if node is None or node.op_type != "Identity" or not len(node.input):
            return False
        handed_on = node.input[0]
    return False


def _name(node: Any, scope: Scope, number: int) -> str:
    outputs = [one for one in node.output if one]
    own = text(node.name) or (text(outputs[0]) if outputs else f"{text(node.op_type)}_{number}")
    own = own[:LONGEST_NAME]  # it stands in the name of everything inside
    return f"{scope.path}/{own}" if scope.path else own


def named(place: Place) -> str:
    """A node's name, safe to print."""
    return printable(place.name)
