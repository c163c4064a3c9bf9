"""A safe reader of pickles: it interprets the few opcodes that a state dict needs, and imports and calls nothing.

A pickle is a program. `pickletools.genops` splits it into opcodes. Each opcode of a short list moves plain values about: a
global is only a name, a tensor only the description of one. Any other opcode or name is refused. An opcode makes one value at
most, in a time bounded by what it takes off the stack, so the number of opcodes bounds both time and memory.
"""

from __future__ import annotations

import pickletools
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

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
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexDouble": "complex128",
    "ComplexFloat": "complex64",
}
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
    """The stack and the memo of a pickle, with a method for each opcode that a state dict needs."""

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
        if opcode in NO_OP_OPCODES:
            return
        if opcode in PUSH_OPCODES:
            self._stack.append(argument)
        elif opcode in CONSTANT_OPCODES:
            self._stack.append(CONSTANT_OPCODES[opcode])
        elif opcode in HANDLERS:
            HANDLERS[opcode](self, argument)
        else:
            raise _UnsafePickleError(f"it uses the opcode {opcode}, and a file of weights needs none such")

    def finish(self, left: int) -> Any:
        """Return the value that the program leaves on the stack.

        Raises:
            ValueError: it leaves other values too, or bytes follow its end.
        """
        value = self._pop()
        if self._stack or self._outer_stacks or left:
            raise ValueError(f"{left} bytes follow its end" if left else "it ends with values on its stack")
        return value

    def _pop(self) -> Any:
        if not self._stack:
            raise ValueError("its stack is empty")
        return self._stack.pop()

    def _pop_typed(self, kind: type) -> Any:
        value = self._pop()
        if type(value) is not kind:
            raise ValueError(f"{_type_label(type(value))} where only {_type_label(kind)} is allowed")
        return value

    def _peek_typed(self, kind: type) -> Any:
        value = self._pop_typed(kind)
        self._stack.append(value)
        return value

    # --- marks, memo, containers --------------------------------------------------------------------------------------

    def push_mark(self, _: Any) -> None:
        self._outer_stacks.append(self._stack)
        self._stack = []

    def _pop_to_mark(self) -> list[Any]:
        if not self._outer_stacks:
            raise ValueError("there is no mark on its stack")
        items, self._stack = self._stack, self._outer_stacks.pop()
        return items

    def store_memo(self, key: int | None) -> None:
        value = self._pop()
        self._stack.append(value)
        self._memo[len(self._memo) if key is None else key] = value

    def load_memo(self, key: int) -> None:
        if key not in self._memo:
            raise ValueError(f"its memo has no place {key}")
        self._stack.append(self._memo[key])

    def push_dict(self, _: Any) -> None:
        self._stack.append(PickledDict())

    def push_list(self, _: Any) -> None:
        self._stack.append([])

    def push_tuple(self, size: int) -> None:
        items = [self._pop() for _ in range(size)]
        self._stack.append(tuple(reversed(items)))

    def push_tuple_to_mark(self, _: Any) -> None:
        items = tuple(self._pop_to_mark())
        self._stack.append(items)

    def append_item(self, _: Any) -> None:
        value = self._pop()
        self._peek_typed(list).append(value)

    def append_items(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._peek_typed(list).extend(items)

    def set_item(self, _: Any) -> None:
        value, key = self._pop(), self._pop()
        self._peek_typed(PickledDict).pairs.append((key, value))

    def set_items(self, _: Any) -> None:
        items = self._pop_to_mark()
        if len(items) % 2:
            raise ValueError("a key without a value")
        self._peek_typed(PickledDict).pairs.extend(zip(items[::2], items[1::2], strict=True))

    # --- globals ------------------------------------------------------------------------------------------------------

    def push_global(self, name: str) -> None:
        if name not in ALLOWED_GLOBALS:
            raise _UnsafePickleError(f"it asks for {name.replace(' ', '.')}, and no code is run on behalf of a file")
        self._stack.append(Global(name))

    def push_global_from_stack(self, _: Any) -> None:
        name, module = self._pop_typed(str), self._pop_typed(str)
        self.push_global(f"{module[:MAX_GLOBAL_LENGTH]} {name[:MAX_GLOBAL_LENGTH]}")

    def call_global(self, _: Any) -> None:
        arguments, called = self._pop_typed(tuple), self._pop_typed(Global)
        self._stack.append(_evaluate_call(called.name, arguments))

    def push_storage(self, _: Any) -> None:
        self._stack.append(_build_storage(self._pop_typed(tuple)))

    def drop_state(self, _: Any) -> None:
        """Drop the state of an OrderedDict, which holds no weights."""
        self._pop()
        target = self._pop()
        if type(target) not in (PickledDict, OpaqueObject):
            raise ValueError(f"{_type_label(type(target))} has no state to set")
        self._stack.append(target)


NO_OP_OPCODES = {"PROTO", "FRAME", "STOP"}
PUSH_OPCODES = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
CONSTANT_OPCODES: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
HANDLERS: dict[str, Callable[[PickleMachine, Any], None]] = {
    "MARK": PickleMachine.push_mark,
    "BINPUT": PickleMachine.store_memo,
    "LONG_BINPUT": PickleMachine.store_memo,
    "MEMOIZE": PickleMachine.store_memo,
    "BINGET": PickleMachine.load_memo,
    "LONG_BINGET": PickleMachine.load_memo,
    "EMPTY_DICT": PickleMachine.push_dict,
    "EMPTY_LIST": PickleMachine.push_list,
    "TUPLE": PickleMachine.push_tuple_to_mark,
    "TUPLE1": lambda machine, _: machine.push_tuple(1),
    "TUPLE2": lambda machine, _: machine.push_tuple(2),
    "TUPLE3": lambda machine, _: machine.push_tuple(3),
    "APPEND": PickleMachine.append_item,
    "APPENDS": PickleMachine.append_items,
    "SETITEM": PickleMachine.set_item,
    "SETITEMS": PickleMachine.set_items,
    "GLOBAL": PickleMachine.push_global,
    "STACK_GLOBAL": PickleMachine.push_global_from_stack,
    "REDUCE": PickleMachine.call_global,
    "BINPERSID": PickleMachine.push_storage,
    "BUILD": PickleMachine.drop_state,
}


def _evaluate_call(called: str, arguments: tuple[Any, ...]) -> Any:
    """Return what a call in the program would return, for the few calls that a state dict needs."""
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
    if len(arguments) == 5 and type(arguments[0]) is str and arguments[0] == "storage" and type(arguments[1]) is Global:
        kind, key, size = STORAGES.get(arguments[1].name), arguments[2], arguments[4]
        if kind is not None and type(key) is str and len(key) <= MAX_KEY_LENGTH and _is_size(size):
            return PickledStorage(kind, key, size)
    raise ValueError("a storage is described as no torch.save does")


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SIZE


def _are_sizes(values: Any) -> bool:
    return type(values) is tuple and len(values) <= MAX_AXES and all(map(_is_size, values))
