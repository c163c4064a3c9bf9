"""What frameworks call an LSTM's arrays: patterns of names, each with the module before them."""

from __future__ import annotations

import re

from lstm_explain.core.gates import LETTERS
from lstm_explain.core.weights import WEIGHT_NAMES

NUMBER = "0|[1-9][0-9]{0,2}"
PYTORCH_NAME = re.compile(
    r"(?:(?P<module>.*)[./])?(?P<tensor>(?:weight_(?:ih|hh|hr)|bias_(?:ih|hh)))"
    rf"(?:_l(?P<layer>{NUMBER})(?P<reverse>_reverse)?)?"
)
OWN_NAME = re.compile(
    rf"(?:(?P<module>.*)[./])?layer(?P<layer>{NUMBER})\.(?P<way>forward|backward)\.(?P<tensor>{'|'.join(WEIGHT_NAMES)})"
)
FLAX_NAME = re.compile(
    rf"(?:(?P<module>.*)[./])?(?P<dense>[ih][{''.join(LETTERS.values())}])(?P<nnx>_?)[./](?P<tensor>kernel|bias)(?:[./]value)?"
)
FLAX_PACKED_NAME = re.compile(r"(?:(?P<module>.*)[./])?(?P<dense>dense_[ih])[./](?P<tensor>kernel|bias)(?:[./]value)?")
FLAX_GRU_NAME = re.compile(r"(?:(?P<module>.*)[./])?[ih][rzn][./]kernel(?:[./]value)?")
NORMED_NAME = re.compile(
    r"(?:(?P<module>.+?)[./])??(?:parametrizations[./])?(?P<tensor>weight_(?:ih|hh|hr)(?:_l[0-9]{1,3}(?:_reverse)?)?)"
    r"(?:[./]original[01]|_[gv])"
)
TELLING_NAMES = (
    PYTORCH_NAME,
    OWN_NAME,
    FLAX_NAME,
    FLAX_PACKED_NAME,
    re.compile(r"(?:(?P<module>.*)[./])?recurrent_kernel(?::0)?"),
)
"""Names that only a recurrent layer's arrays have."""
LAST_PART = re.compile(r"(?:(?P<module>.*)[./])?(?P<tensor>[^./]+?)(?::0)?")
