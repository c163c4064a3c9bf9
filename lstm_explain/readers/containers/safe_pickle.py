"""A safe reader of pickles: it interprets the few opcodes that a state dict needs, and imports and calls nothing.

A pickle is a program. `pickletools.genops` splits it into opcodes, and tables list the few that are interpreted: they move
plain values about, a global is only a name, a tensor only the description of one. Any other opcode or name is refused. An
opcode makes one value at most, in a time bounded by what it takes off the stack, so the number of opcodes bounds time and
memory.
"""

from __future__ import annotations

import pickletools
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lstm_explain.errors import InputFileError, RefusedError, printable
from lstm_explain.readers.containers.bounded_file import FIX_BUDGET, FIX_FORGED

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_OPCODES = 1_000_000
OPCODE_BYTES = 256
"""More than what one opcode leaves in memory, short of the text it holds; a test measures it."""
MAX_AXES, MAX_SIZE = 32, 2**62
MAX_KEY_LENGTH = 100
"""Of a storage; torch numbers them."""
MAX_GLOBAL_LENGTH = 200

ORDERED_DICT = "collections OrderedDict"
TENSOR, PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
STORAGE_DTYPES = {
    "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
    "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
    "Bool": "bool", "ComplexDouble": "complex128", "ComplexFloat": "complex64",
}  # fmt: skip
"""torch's storages, and its types of the numbers in them."""
STORAGES = {f"torch {kind}Storage": kind for kind in STORAGE_DTYPES}
OPAQUE_GLOBALS = frozenset(
    {
        *(f"{module} {name}" for module in ("__builtin__", "builtins") for name in ("set", "complex")),
        *(f"numpy.{core}.multiarray scalar" for core in ("core", "_core")),
        *(f"torch {name}" for name in ("Size", "device", *STORAGE_DTYPES.values())),
        *("_codecs encode", "collections Counter", "numpy dtype"),
    }
)
"""Names of values that checkpoints hold beside the weights; none of them is built."""
ALLOWED_GLOBALS = OPAQUE_GLOBALS | {ORDERED_DICT, TENSOR, PARAMETER, *STORAGES}
"""Every global that a pickle may name, as `pickletools` spells it: the module, a space, the name."""

QUANTISED = re.compile(rb"torch\.(?:ao\.)?nn\.quantized|quantized_dynamic|_packed_params")
"""What the pickle of a quantised model holds; looked for where it is refused anyway."""
FIX_SAVE_WEIGHTS = "Save the weights alone with torch.save(model.state_dict(), file)"


class Global(NamedTuple):
    """The name of something in Python; what has this name is never looked up."""

    name: str


class PickledStorage(NamedTuple):
    """The description of a run of numbers in a member of the archive."""

    kind: str
    """As in torch's name for it, such as Float."""
    key: str
    size: int
    """How many numbers it holds."""


class PickledTensor(NamedTuple):
    """The description of a tensor: a view of a storage, not yet known to lie inside it."""

    storage: PickledStorage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class PickledDict:
    """The items of a dict, as pairs: nothing from outside is hashed or compared."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []


class OpaqueObject:
    """A value that is not built."""


OPAQUE = OpaqueObject()
TYPE_LABELS: dict[type, str] = {
    PickledDict: "a dict",
    PickledTensor: "a tensor",
    PickledStorage: "a storage",
    Global: "a name",
    OpaqueObject: "a value left out",
    type(None): "None",
    int: "an int",
}


class _UnsafePickleError(Exception):
    """The program uses more than a state dict needs."""


def interpret_pickle(program: bytes, file: str, limit: int) -> Any:
    """Return what a pickle describes: PickledDicts, lists and tuples of PickledTensors, text, numbers and other plain values.

    Args:
        program: the pickle.
        file: what to call the file in a message.
        limit: how many bytes of memory it may take.

    Raises:
        InputFileError: the program is malformed.
        RefusedError: it names or calls what no state dict needs, or is too long.
    """
    machine, position, location = PickleMachine(), 0, "at its start"
    try:
        with warnings.catch_warnings():  # of text with unknown escapes, which pickletools reads before we refuse its opcode
            warnings.simplefilter("ignore")
            for count, (opcode, argument, start) in enumerate(pickletools.genops(program)):
                position = start or 0
                location = f"at byte {position}"
                _check_limits(count, file, limit)
                machine.execute(opcode.name, argument)
                location = f"after byte {position}"
        return machine.finish(len(program) - position - 1)
    except _UnsafePickleError as error:
        if QUANTISED.search(program):
            problem = "it holds quantised weights (torch.ao.nn.quantized), which are not supported"
            raise InputFileError(file, problem, "Save the state dict of the model before quantisation") from None
        raise RefusedError(file, f"{printable(str(error))} (byte {position} of its pickle)", FIX_SAVE_WEIGHTS) from None
    except ValueError as error:  # ours, and those of pickletools
        problem = f"its pickle is malformed {location}: {printable(str(error))}"
        raise InputFileError(file, problem, FIX_FORGED) from None


def _check_limits(count: int, file: str, limit: int) -> None:
    if count >= MAX_OPCODES:
        problem = f"its pickle has more than {MAX_OPCODES:,} opcodes, more than any state dict needs"
        raise RefusedError(file, problem, FIX_SAVE_WEIGHTS)
    if count * OPCODE_BYTES > limit:
        problem = f"following its pickle takes more than {limit:,} bytes, a third of the budget"
        raise RefusedError(file, problem, FIX_BUDGET)


class PickleMachine:
    """The stack and the memo of a pickle."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._outer_stacks: list[list[Any]] = []
        """The stacks below each mark."""
        self._memo: dict[int, Any] = {}

    def execute(self, opcode: str, argument: Any) -> None:
        """Execute one opcode.

        Raises:
            ValueError: it does not fit what is on the stack.
        """
        if opcode == "MARK":
            self._outer_stacks.append(self._stack)
            self._stack = []
        elif opcode in PUSH_OPCODES:
            self._stack.append(PUSH_OPCODES[opcode](argument))
        elif opcode in OPERATIONS:
            types, operation = OPERATIONS[opcode]
            self._stack.append(operation(*self._pop_values(types)))
        elif opcode in MARK_OPERATIONS:
            types, operation = MARK_OPERATIONS[opcode]
            items = self._pop_to_mark()
            self._stack.append(operation(*self._pop_values(types), items))
        elif opcode in MEMO_WRITES:
            (value,) = self._pop_values((object,))
            self._stack.append(value)
            self._memo[len(self._memo) if argument is None else argument] = value
        elif opcode in MEMO_READS:
            self._stack.append(self._memo_entry(argument))
        elif opcode not in NO_OP_OPCODES:
            raise _UnsafePickleError(f"it uses the opcode {opcode}, which no file of weights needs")

    def _memo_entry(self, key: int) -> Any:
        if key not in self._memo:
            raise ValueError(f"its memo has no entry {key}")
        return self._memo[key]

    def finish(self, left: int) -> Any:
        """Return the value that the program leaves on the stack.

        Raises:
            ValueError: it leaves other values too, or bytes follow its end.
        """
        (value,) = self._pop_values((object,))
        if self._stack or self._outer_stacks or left:
            raise ValueError(f"{left} bytes follow its end" if left else "it ends with values on its stack")
        return value

    def _pop_values(self, types: tuple[type, ...]) -> list[Any]:
        """Take values of these types off the stack, the last of which is on its top."""
        values = []
        for kind in reversed(types):
            if not self._stack:
                raise ValueError("its stack is empty")
            value = self._stack.pop()
            if kind not in (object, type(value)):
                raise ValueError(f"{_type_label(type(value))} where only {_type_label(kind)} is allowed")
            values.append(value)
        return values[::-1]

    def _pop_to_mark(self) -> list[Any]:
        if not self._outer_stacks:
            raise ValueError("its stack has no mark")
        items, self._stack = self._stack, self._outer_stacks.pop()
        return items


def _build_global(name: str) -> Global:
    if name not in ALLOWED_GLOBALS:
        raise _UnsafePickleError(f"it asks for {name.replace(' ', '.')}, and no code is run on behalf of a file")
    return Global(name)


def _append_items(target: list[Any], items: list[Any]) -> list[Any]:
    target.extend(items)
    return target


def _set_items(target: PickledDict, items: list[Any]) -> PickledDict:
    if len(items) % 2:
        raise ValueError("a key without a value")
    target.pairs.extend(zip(items[::2], items[1::2], strict=True))
    return target


def _drop_state(target: Any, _: Any) -> Any:
    """Return an OrderedDict without its state, which holds no weights."""
    if type(target) not in (PickledDict, OpaqueObject):
        raise ValueError(f"{_type_label(type(target))} has no state to set")
    return target


def _evaluate_call(target: Global, arguments: tuple[Any, ...]) -> Any:
    """Return what a call in the program would return, for the few calls that a state dict needs."""
    called = target.name
    if called in OPAQUE_GLOBALS:
        return OPAQUE
    if called == ORDERED_DICT and not arguments:
        return PickledDict()
    if called == PARAMETER and len(arguments) == 3 and type(arguments[0]) is PickledTensor:
        return arguments[0]
    if called == TENSOR and len(arguments) == 7:
        raise _UnsafePickleError("it holds a tensor that torch conjugates or negates only when it is used")
    if called == TENSOR and len(arguments) == 6:
        return _build_tensor(*arguments[:4])
    raise _misuse_error(called)


def _type_label(kind: type) -> str:
    return TYPE_LABELS.get(kind, f"a {kind.__name__.lower()}")


def _misuse_error(name: str) -> ValueError:
    return ValueError(f"{name.replace(' ', '.')} is used as no torch.save does")


def _build_tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> PickledTensor:
    are_integers = _is_size(offset) and _are_sizes(shape) and _are_sizes(strides)
    if type(storage) is not PickledStorage or not are_integers or len(shape) != len(strides):
        raise _misuse_error(TENSOR)
    return PickledTensor(storage, offset, shape, strides)


def _build_storage(arguments: tuple[Any, ...]) -> PickledStorage:
    """Build a storage from ('storage', torch FloatStorage, key, device, size)."""
    match arguments:
        case ("storage", Global(name), str() as key, _, size) if name in STORAGES and len(key) <= MAX_KEY_LENGTH:
            if _is_size(size):
                return PickledStorage(STORAGES[name], key, size)
    raise ValueError("a storage is described as no torch.save does")


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SIZE


def _are_sizes(values: Any) -> bool:
    return type(values) is tuple and len(values) <= MAX_AXES and all(map(_is_size, values))


# --- the opcodes that a state dict needs ------------------------------------------------------------------------------

Operations: TypeAlias = "dict[str, tuple[tuple[type, ...], Callable[..., Any]]]"
"""The types of the values that an opcode takes off the stack, and what it puts there instead."""

NO_OP_OPCODES = {"PROTO", "FRAME", "STOP"}
MEMO_WRITES, MEMO_READS = {"BINPUT", "LONG_BINPUT", "MEMOIZE"}, {"BINGET", "LONG_BINGET"}
PUSH_OPCODES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), lambda argument: argument),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), lambda argument: argument),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_DICT": lambda _: PickledDict(),
    "EMPTY_LIST": lambda _: [],
    "GLOBAL": _build_global,
}
OPERATIONS: Operations = {
    "TUPLE1": ((object,), lambda *items: items),
    "TUPLE2": ((object, object), lambda *items: items),
    "TUPLE3": ((object, object, object), lambda *items: items),
    "APPEND": ((list, object), lambda target, item: _append_items(target, [item])),
    "SETITEM": ((PickledDict, object, object), lambda target, *item: _set_items(target, list(item))),
    "STACK_GLOBAL": ((str, str), lambda *names: _build_global(" ".join(name[:MAX_GLOBAL_LENGTH] for name in names))),
    "REDUCE": ((Global, tuple), _evaluate_call),
    "BINPERSID": ((tuple,), _build_storage),
    "BUILD": ((object, object), _drop_state),
}
MARK_OPERATIONS: Operations = {
    "TUPLE": ((), tuple),
    "APPENDS": ((list,), _append_items),
    "SETITEMS": ((PickledDict,), _set_items),
}
"""These also take everything down to the last mark, as a list."""
