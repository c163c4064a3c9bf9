"""A pickle is a program. Here it is followed on paper, as far as a state dict needs: nothing is imported, nothing is called.

`pickletools.genops` splits the program into opcodes. Each opcode of a short list moves plain values about: a global is only a
name, a tensor only the description of one. Any other opcode or name is refused. An opcode makes one value at most, in a time
bounded by what it takes off the stack. So the number of opcodes bounds both time and memory.
"""

from __future__ import annotations

import pickletools
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_explain.errors import InputFileError, RefusedError, printable

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_OPCODES = 1_000_000
OPCODE_BYTES = 256
"""More than what one opcode leaves in memory, short of the text it holds; a test measures it."""
MOST_AXES, LARGEST = 32, 2**62
LONGEST_KEY = 100
"""Of a storage; torch numbers them."""
LONGEST_GLOBAL = 200

ORDERED_DICT = "collections OrderedDict"
TENSOR, PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
KINDS = {
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
STORAGES = {f"torch {kind}Storage": kind for kind in KINDS}
LEFT_OUT = frozenset(
    {
        *(f"{module} {name}" for module in ("__builtin__", "builtins") for name in ("set", "complex")),
        *(f"numpy.{core}.multiarray scalar" for core in ("core", "_core")),
        *(f"torch {name}" for name in ("Size", "device", *KINDS.values())),
        *("_codecs encode", "collections Counter", "numpy dtype"),
    }
)
"""Names of values that stand beside the weights in checkpoints; none of them is made."""
NAMES = LEFT_OUT | {ORDERED_DICT, TENSOR, PARAMETER, *STORAGES}
"""Every global that a pickle may name, as `pickletools` spells it: the module, a space, the name."""

QUANTISED = re.compile(rb"torch\.(?:ao\.)?nn\.quantized|quantized_dynamic|_packed_params")
"""What the pickle of a quantised model holds; looked for where it is refused anyway."""
WAY_OUT = "Save the weights alone with torch.save(model.state_dict(), file)"


class Global(NamedTuple):
    """The name of something in Python; what has this name is never looked up."""

    name: str


class Storage(NamedTuple):
    """The description of a run of numbers that a member of the archive holds."""

    kind: str
    """As in torch's name of it, such as Float."""
    key: str
    numbers: int


class Tensor(NamedTuple):
    """The description of a tensor: which numbers of a storage it shows, not yet known to lie inside."""

    storage: Storage
    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


class PickledDict:
    """What a dict holds, as pairs: nothing from outside is hashed or compared."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []


class OpaqueObject:
    """Stands for a value that is left out."""


UNMADE = OpaqueObject()
WORDS: dict[type, str] = {
    PickledDict: "a dict",
    Global: "a name",
    OpaqueObject: "a value left out",
    type(None): "None",
    int: "an int",
}


class _RefusedError(Exception):
    """The program wants more than a state dict needs."""


def interpret_pickle(program: bytes, file: str, budget: int) -> Any:
    """What a pickle describes: Tables, lists and tuples of Tensors, strings, numbers and other plain values.

    Args:
        program: the pickle.
        file: what to call the file in a message.
        budget: how many bytes of memory it may take.

    Raises:
        InputFileError: the program is malformed.
        RefusedError: it names or calls what no state dict needs, or is too long.
    """
    machine, place, where = Machine(), 0, "at its start"
    try:
        with warnings.catch_warnings():  # of text with unknown escapes, which pickletools reads before we refuse its opcode
            warnings.simplefilter("ignore")
            for number, (opcode, argument, at) in enumerate(pickletools.genops(program)):
                place = at or 0
                where = f"at byte {place}"
                _afford(number, file, budget)
                machine.step(opcode.name, argument)
                where = f"after byte {place}"
        return machine.result(len(program) - place - 1)
    except _RefusedError as refused:
        if QUANTISED.search(program):
            found = "it holds quantised weights (torch.ao.nn.quantized), which are not supported"
            raise InputFileError(file, found, "Save the state dict of the model before quantisation") from None
        raise RefusedError(file, f"{printable(str(refused))} (byte {place} of its pickle)", WAY_OUT) from None
    except ValueError as error:  # ours, and those of pickletools
        found = f"its pickle is malformed {where}: {printable(str(error))}"
        raise InputFileError(file, found, "The file is cut or forged: write it anew") from None


def _afford(number: int, file: str, budget: int) -> None:
    if number >= MOST_OPCODES:
        raise RefusedError(file, f"its pickle has more than {MOST_OPCODES:,} opcodes, more than any state dict needs", WAY_OUT)
    if number * OPCODE_BYTES > budget:
        raise RefusedError(
            file, f"following its pickle takes more than {budget:,} bytes, a third of the budget", "Raise --max-memory"
        )


class Machine:
    """The stack and the memo of a pickle. A method for each opcode that a state dict needs."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        """The stacks under each mark."""
        self._memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:
        """Follow one opcode.

        Raises:
            ValueError: it does not fit what is on the stack.
        """
        if opcode in SILENT:
            return
        if opcode in PUSHES:
            self._stack.append(argument)
        elif opcode in CONSTANTS:
            self._stack.append(CONSTANTS[opcode])
        elif opcode in STEPS:
            STEPS[opcode](self, argument)
        else:
            raise _RefusedError(f"it uses the opcode {opcode}, and a file of weights needs none such")

    def result(self, left: int) -> Any:
        """What the program leaves behind, once it is known that nothing else is.

        Raises:
            ValueError: other values are, or bytes after the end.
        """
        found = self._pop()
        if self._stack or self._below or left:
            raise ValueError(f"{left} bytes follow its end" if left else "it ends with values on its stack")
        return found

    def _pop(self) -> Any:
        if not self._stack:
            raise ValueError("its stack is empty")
        return self._stack.pop()

    def _popped(self, kind: type) -> Any:
        found = self._pop()
        if type(found) is not kind:
            raise ValueError(f"{_word(type(found))} where only {_word(kind)} can stand")
        return found

    def _top(self, kind: type) -> Any:
        found = self._popped(kind)
        self._stack.append(found)
        return found

    # --- marks, memo, containers --------------------------------------------------------------------------------------

    def mark(self, _: Any) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        if not self._below:
            raise ValueError("there is no mark on its stack")
        items, self._stack = self._stack, self._below.pop()
        return items

    def put(self, key: int | None) -> None:
        value = self._pop()
        self._stack.append(value)
        self._memo[len(self._memo) if key is None else key] = value

    def get(self, key: int) -> None:
        if key not in self._memo:
            raise ValueError(f"its memo has no place {key}")
        self._stack.append(self._memo[key])

    def new_table(self, _: Any) -> None:
        self._stack.append(PickledDict())

    def new_list(self, _: Any) -> None:
        self._stack.append([])

    def tuple_of(self, size: int) -> None:
        items = [self._pop() for _ in range(size)]
        self._stack.append(tuple(reversed(items)))

    def tuple_since_mark(self, _: Any) -> None:
        items = tuple(self._since_mark())
        self._stack.append(items)

    def append(self, _: Any) -> None:
        value = self._pop()
        self._top(list).append(value)

    def appends(self, _: Any) -> None:
        items = self._since_mark()
        self._top(list).extend(items)

    def set_item(self, _: Any) -> None:
        value, key = self._pop(), self._pop()
        self._top(PickledDict).pairs.append((key, value))

    def set_items(self, _: Any) -> None:
        items = self._since_mark()
        if len(items) % 2:
            raise ValueError("a key without a value")
        self._top(PickledDict).pairs.extend(zip(items[::2], items[1::2], strict=True))

    # --- names, and what they stand for -------------------------------------------------------------------------------

    def named(self, name: str) -> None:
        if name not in NAMES:
            raise _RefusedError(f"it asks for {name.replace(' ', '.')}, and no code is run on behalf of a file")
        self._stack.append(Global(name))

    def named_on_stack(self, _: Any) -> None:
        name, module = self._popped(str), self._popped(str)
        self.named(f"{module[:LONGEST_GLOBAL]} {name[:LONGEST_GLOBAL]}")

    def reduce(self, _: Any) -> None:
        arguments, called = self._popped(tuple), self._popped(Global)
        self._stack.append(_described(called.name, arguments))

    def storage(self, _: Any) -> None:
        self._stack.append(_storage(self._popped(tuple)))

    def build(self, _: Any) -> None:
        """The state of an OrderedDict, which holds no weights, is dropped."""
        self._pop()
        kept = self._pop()
        if type(kept) not in (PickledDict, OpaqueObject):
            raise ValueError(f"{_word(type(kept))} has no state to set")
        self._stack.append(kept)


SILENT = {"PROTO", "FRAME", "STOP"}
PUSHES = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
STEPS: dict[str, Callable[[Machine, Any], None]] = {
    "MARK": Machine.mark,
    "BINPUT": Machine.put,
    "LONG_BINPUT": Machine.put,
    "MEMOIZE": Machine.put,
    "BINGET": Machine.get,
    "LONG_BINGET": Machine.get,
    "EMPTY_DICT": Machine.new_table,
    "EMPTY_LIST": Machine.new_list,
    "TUPLE": Machine.tuple_since_mark,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": Machine.append,
    "APPENDS": Machine.appends,
    "SETITEM": Machine.set_item,
    "SETITEMS": Machine.set_items,
    "GLOBAL": Machine.named,
    "STACK_GLOBAL": Machine.named_on_stack,
    "REDUCE": Machine.reduce,
    "BINPERSID": Machine.storage,
    "BUILD": Machine.build,
}


def _described(called: str, arguments: tuple[Any, ...]) -> Any:
    """What a call in the program would give, for the few calls that a state dict needs."""
    if called in LEFT_OUT:
        return UNMADE
    if called == ORDERED_DICT and not arguments:
        return PickledDict()
    if called == PARAMETER and len(arguments) == 3 and type(arguments[0]) is Tensor:
        return arguments[0]
    if called == TENSOR and len(arguments) == 7:
        raise _RefusedError("it holds a tensor that torch conjugates or negates only when it is used")
    if called == TENSOR and len(arguments) == 6:
        return _tensor(*arguments[:4])
    raise _misused(called)


def _word(kind: type) -> str:
    return WORDS.get(kind, f"a {kind.__name__.lower()}")


def _misused(name: str) -> ValueError:
    return ValueError(f"{name.replace(' ', '.')} is used as no torch.save does")


def _tensor(storage: Any, offset: Any, sizes: Any, strides: Any) -> Tensor:
    whole = _is_size(offset) and _are_sizes(sizes) and _are_sizes(strides)
    if type(storage) is not Storage or not whole or len(sizes) != len(strides):
        raise _misused(TENSOR)
    return Tensor(storage, offset, sizes, strides)


def _storage(given: tuple[Any, ...]) -> Storage:
    """From ('storage', torch FloatStorage, key, where it was, how many numbers)."""
    if len(given) == 5 and type(given[0]) is str and given[0] == "storage" and type(given[1]) is Global:
        kind, key, count = STORAGES.get(given[1].name), given[2], given[4]
        if kind is not None and type(key) is str and len(key) <= LONGEST_KEY and _is_size(count):
            return Storage(kind, key, count)
    raise ValueError("a storage is named as no torch.save does")


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _are_sizes(values: Any) -> bool:
    return type(values) is tuple and len(values) <= MOST_AXES and all(map(_is_size, values))
