"""From what somebody typed to a framework."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lstm_explain.errors import UsageError
from lstm_explain.frameworks.known import LAYERS
from lstm_explain.topics.lookup import LONGEST_SHOWN, key, repeated

if TYPE_CHECKING:
    from lstm_explain.core.lstm import LSTM
    from lstm_explain.frameworks.described import LayerInfo

NEAREST = 3  # how many names a message proposes
ONE_ALONE = "choose one layer alone: FILE#NAME"
"""What to do where a framework has not what a stack has that was put together of a file's layers."""
_BY_KEY = {
    key(alias): layer for layer in LAYERS.values() for alias in (*layer.aliases, layer.title, layer.class_name, layer.name)
}


def framework_of(name: str, asked: str = "frameworks") -> LayerInfo:
    """The framework of a name; case, blanks, hyphens, underscores and dots make no difference.

    `asked` is what was asked with it, to begin a message with.

    Raises:
        UsageError: there is no such framework here; the message names the nearest ones.
    """
    if not isinstance(name, str):
        raise UsageError(f"{asked} {name!r}", "this is no name of a framework")
    found = _BY_KEY.get(key(name))
    if found is not None and key(name):
        return found
    close = get_close_matches(key(name)[:LONGEST_SHOWN], _BY_KEY, n=NEAREST)
    near = list(dict.fromkeys(_BY_KEY[one].name for one in close))
    nearest = f"The nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}. " if near else ""
    fix = f"{nearest}See all with lstm-explain frameworks"
    raise UsageError(f"{asked} {repeated(name)}", "there is no such framework here", fix)


def several_chosen(lstm: LSTM) -> bool:
    """Whether the LSTM is several layers of a file, each of which can be chosen alone."""
    return lstm.pretrained is not None and "+" in lstm.provenance["weights"].get("layer", "")
