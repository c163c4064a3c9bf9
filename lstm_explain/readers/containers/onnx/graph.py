"""The nested graphs of an ONNX model: where a name gets its value, and every node with the graph that it is in.

The bodies of If, Loop and Scan see the names of the graphs around them. A body of Loop or Scan also has loop states, which
change from iteration to iteration; one that the body returns unchanged is bound to the value that it begins with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.errors import InputFileError, RefusedError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NODES, MAX_DEPTH, MAX_NAME_LENGTH = 1_000_000, 50, 200
GRAPH, GRAPHS = 5, 10
"""The types of an attribute that holds graphs."""
ONNX_DOMAINS = ("", "ai.onnx")
"""The domains of the operators that ONNX itself defines."""


def decode_text(value: str | bytes) -> str:
    """Return a string of a protobuf message, which the library leaves as bytes where it is not UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


def operator_name(node: Any) -> str:
    """Return the name of a node's operator; empty where ONNX itself does not define it."""
    return decode_text(node.op_type) if node.domain in ONNX_DOMAINS else ""


@dataclass(eq=False)
class Scope:
    """The names of one graph, or of one call of a function. Scopes are equal only to themselves."""

    path: str
    """Its location, such as `loop/body`; empty for the model's own graph."""
    outer: Scope | None = None
    """The graph around it, whose names it sees."""
    initializers: dict[str, Any] = field(default_factory=dict)
    """The tensors stored in it, by name."""
    sparse_initializers: set[str] = field(default_factory=set)
    producers: dict[str, tuple[Any, int]] = field(default_factory=dict)
    """The node that computes each name, and which of the node's outputs it is."""
    inputs: dict[str, tuple[Scope, str] | None] = field(default_factory=dict)
    """The value in another scope that each input is bound to; None where it is only known when the model runs."""
    call_attributes: dict[str, Any] = field(default_factory=dict)
    """The values of a function's attributes in this call."""
    body_of: GraphNode | None = None
    """The node whose body it is; None for the model's own graph and for functions."""
    input_numbers: dict[str, int] = field(default_factory=dict)
    """The position of each input of a body."""
    loop_states: dict[str, tuple[str, str]] = field(default_factory=dict)
    """For each state of a Loop or Scan, by its name in the body: what the body returns for it, and its start outside."""

    def attribute(self, node: Any, name: str) -> Any:
        """Return an attribute of one of its nodes, or None; in a function it may refer to an attribute of the call."""
        for attribute in node.attribute:
            if attribute.name == name:
                return self.call_attributes.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
        return None

    def is_stored(self, name: str) -> bool:
        """Whether a tensor of this name is stored in this graph."""
        return name in self.initializers or name in self.sparse_initializers

    def defining_scope(self, name: str) -> Scope | None:
        """Return the nearest scope, from here outwards, that defines a name."""
        scope: Scope | None = self
        while scope is not None:
            if scope.is_stored(name) or name in scope.producers or name in scope.inputs:
                return scope
            scope = scope.outer
        return None


class GraphNode(NamedTuple):
    """A node, and the scope that it is in."""

    node: Any
    scope: Scope
    name: str
    """The path of its graph, and its name; its first output's, or its number, where it has none. Not yet safe to print."""


def walk_nodes(model: Any, file: str) -> Iterator[GraphNode]:
    """Yield every node of a model, and of the graphs and functions inside its nodes.

    Raises:
        InputFileError: the graphs or functions are nested too deep, or without end.
        RefusedError: there are more nodes than in any recurrent model.
    """
    walker = _Walker(file, {(function.domain, function.name): function for function in model.functions})
    if walker.count_nodes(model.graph.node) > MAX_NODES:
        raise RefusedError(file, f"it has more than {MAX_NODES:,} nodes, and recurrent models have far fewer")
    yield from walker.walk(model.graph.node, graph_scope(model.graph))


@dataclass
class _Walker:
    file: str
    functions: dict[tuple[str, str], Any]
    node_counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """The number of nodes in each function and all that it calls: functions that call each other twice double it."""

    def walk(self, nodes: Any, scope: Scope, depth: int = 0) -> Iterator[GraphNode]:
        self._check_depth(depth)
        for number, node in enumerate(nodes):
            graph_node = GraphNode(node, scope, _node_path(node, scope, number))
            yield graph_node
            function = self.functions.get((node.domain, node.op_type))
            if function is not None:
                yield from self.walk(function.node, _call_scope(graph_node, function), depth + 1)
            for attribute, graph in _subgraphs(node):
                path = f"{graph_node.name}/{decode_text(attribute.name)[:MAX_NAME_LENGTH]}"
                yield from self.walk(graph.node, _body_scope(graph_node, graph, path), depth + 1)

    def count_nodes(self, nodes: Any, depth: int = 0) -> int:
        """Count the nodes that `walk` yields, each function once."""
        self._check_depth(depth)
        return sum(1 + self._count_inside(node, depth + 1) for node in nodes)

    def _count_inside(self, node: Any, depth: int) -> int:
        function_key = (node.domain, node.op_type)
        if function_key in self.functions and function_key not in self.node_counts:
            self.node_counts[function_key] = self.count_nodes(self.functions[function_key].node, depth)
        in_graphs = sum(self.count_nodes(graph.node, depth) for _, graph in _subgraphs(node))
        return self.node_counts.get(function_key, 0) + in_graphs

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise InputFileError(self.file, f"its graphs or functions are nested more than {MAX_DEPTH} deep")


def _subgraphs(node: Any) -> Iterator[tuple[Any, Any]]:
    """The graphs inside a node, each with the attribute that holds it."""
    for attribute in node.attribute:
        for graph in {GRAPH: [attribute.g], GRAPHS: attribute.graphs}.get(attribute.type, []):
            yield attribute, graph


def graph_scope(graph: Any, path: str = "", outer: Scope | None = None) -> Scope:
    """Return the scope of a graph. An input with an initializer is a constant, although a caller could replace it."""
    scope = Scope(path, outer)
    scope.inputs = {value.name: None for value in graph.input}
    scope.initializers = {tensor.name: tensor for tensor in graph.initializer}
    scope.sparse_initializers = {tensor.values.name for tensor in graph.sparse_initializer}
    scope.producers = _producers(graph.node)
    return scope


def _body_scope(graph_node: GraphNode, graph: Any, path: str) -> Scope:
    """The scope of a graph inside a node."""
    scope = graph_scope(graph, path, graph_node.scope)
    scope.body_of = graph_node
    scope.input_numbers = {value.name: number for number, value in enumerate(graph.input)}
    for name, returned, start in _loop_states(graph_node, graph):
        scope.loop_states[name] = returned, start
        if _is_unchanged(returned, name, scope):
            scope.inputs[name] = (graph_node.scope, start)
    return scope


def _call_scope(graph_node: GraphNode, function: Any) -> Scope:
    """The scope of a call of a function, which sees its arguments and nothing else."""
    scope = Scope(graph_node.name)
    arguments = list(graph_node.node.input)
    for number, name in enumerate(function.input):
        is_given = number < len(arguments) and arguments[number]
        scope.inputs[name] = (graph_node.scope, arguments[number]) if is_given else None
    scope.call_attributes = {attribute.name: attribute for attribute in function.attribute_proto}
    for attribute in graph_node.node.attribute:
        value = graph_node.scope.attribute(graph_node.node, attribute.name)
        if value is not None:
            scope.call_attributes[attribute.name] = value
    scope.producers = _producers(function.node)
    return scope


def _producers(nodes: Any) -> dict[str, tuple[Any, int]]:
    return {name: (node, number) for node in nodes for number, name in enumerate(node.output) if name}


def _loop_states(graph_node: GraphNode, graph: Any) -> Iterator[tuple[str, str, str]]:
    """The states of a Loop or Scan: the name of each in the body, what the body returns for it, and its start outside."""
    node = graph_node.node
    if node.op_type == "Loop":  # the iteration number and the condition come before the states
        skipped_inputs, skipped_outputs, count = 2, 1, len(node.input) - 2
    elif node.op_type == "Scan":  # the scanned sequences come after them
        scanned = graph_node.scope.attribute(node, "num_scan_inputs")
        skipped_inputs, skipped_outputs, count = 0, 0, len(node.input) - int(scanned.i) if scanned is not None else 0
    else:
        return
    for number in range(max(0, min(count, len(graph.input) - skipped_inputs, len(graph.output) - skipped_outputs))):
        name, start = graph.input[skipped_inputs + number].name, node.input[skipped_inputs + number]
        yield name, graph.output[skipped_outputs + number].name, start


def _is_unchanged(returned: str, name: str, scope: Scope) -> bool:
    """Whether a body returns a state as it is, through Identity at most."""
    for _ in range(MAX_DEPTH):
        if returned == name:
            return name not in scope.initializers
        node, _ = scope.producers.get(returned, (None, 0))
        if node is None or node.op_type != "Identity" or not len(node.input):
            return False
        returned = node.input[0]
    return False


def _node_path(node: Any, scope: Scope, number: int) -> str:
    first_output = next((name for name in node.output if name), None)
    default = f"{decode_text(node.op_type)}_{number}" if first_output is None else decode_text(first_output)
    name = (decode_text(node.name) or default)[:MAX_NAME_LENGTH]  # it is repeated in the path of everything inside
    return f"{scope.path}/{name}" if scope.path else name


def printable_name(graph_node: GraphNode) -> str:
    """Return a node's name, safe to print."""
    return printable(graph_node.name)
