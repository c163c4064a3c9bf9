"""Files of data in formats that are not read: what each is, by its content or its name, and one line that converts it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_START = 512
"""How many bytes of a file decide about its format."""
_PANDAS = "import pandas; pandas.{}('{{file}}'{}).to_csv('{{stem}}.csv', index=False)"
_SAVE = "numpy.save('{{stem}}.npy', {})"
_FOR_MODELS = "; a model is named with --model"


class ForeignFormat(NamedTuple):
    """A format of files that hold data, or what people mistake for such a file."""

    kind: str
    pattern: bytes = b"(?!)"
    """A regular expression of how the file begins."""
    suffixes: tuple[str, ...] = ()
    program: str = ""
    """A Python program that converts it; `{file}` and `{stem}` are its name, and its name without the suffix."""
    advice: str = ""
    """What to do beside running the program, or in place of it."""

    def error(self, name: str) -> InputFileError:
        """The error for a file of this format."""
        file = name if re.fullmatch(r"[\w./+-]{1,60}", name, re.ASCII) else f"FILE{(*self.suffixes, '')[0]}"
        stem = str(Path(file).with_suffix(""))
        run = f'Convert it: python -c "{self.program.format(file=file, stem=stem)}"' if self.program else ""
        fix = f"{run}{self.advice.format(file=file)}"
        return InputFileError(name, f"this is {self.kind}, not a .npy, .npz or .csv file", fix)


def _pandas(reader: str, arguments: str = "") -> str:
    return _PANDAS.format(reader, arguments)


FORMATS = (
    ForeignFormat("a Parquet file", rb"PAR1\x15", (".parquet", ".pq"), _pandas("read_parquet")),
    ForeignFormat("a Feather file", rb"ARROW1\0|FEA1\0", (".feather", ".arrow", ".ipc"), _pandas("read_feather")),
    ForeignFormat("an ORC file", suffixes=(".orc",), program=_pandas("read_orc")),
    ForeignFormat(
        "an Excel workbook", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (".xlsx", ".xls", ".xlsm", ".xlsb"), _pandas("read_excel")
    ),
    ForeignFormat("an OpenDocument spreadsheet", suffixes=(".ods",), program=_pandas("read_excel")),
    ForeignFormat(
        "a MATLAB file of version 7.3",
        rb"MATLAB 7\.3 MAT-file",
        program="import h5py, numpy; " + _SAVE.format("h5py.File('{file}')['NAME'][:].T"),
    ),
    ForeignFormat(
        "a MATLAB file",
        rb"MATLAB 5\.0 MAT-file",
        (".mat",),
        "import numpy, scipy.io; " + _SAVE.format("scipy.io.loadmat('{file}')['NAME']"),
    ),
    ForeignFormat(
        "an HDF5 file",
        rb"\x89HDF\r\n\x1a\n",
        (".h5", ".hdf5", ".hdf", ".he5"),
        "import h5py, numpy; " + _SAVE.format("h5py.File('{file}')['NAME'][:]"),
        _FOR_MODELS,
    ),
    ForeignFormat("JSON Lines", rb"\s*\{[^\n]*\}\s*\n\s*\{", (".jsonl", ".ndjson"), _pandas("read_json", ", lines=True")),
    ForeignFormat("JSON", rb'\s*(\{\s*["}]|\[\s*[\[{"\d-])', (".json",), _pandas("read_json")),
    ForeignFormat(
        "a pickle",
        rb"\x80[\x02-\x05]",
        (".pkl", ".pickle", ".joblib"),
        _pandas("read_pickle"),
        ". This runs the program in it, so do it only if you trust the file",
    ),
    ForeignFormat(
        "an ARFF file",
        rb"(?i:\s*@relation\s)",
        (".arff",),
        "import pandas, scipy.io.arff as arff; pandas.DataFrame(arff.loadarff('{file}')[0]).to_csv('{stem}.csv', index=False)",
    ),
    ForeignFormat(
        "a PyTorch file",
        suffixes=(".pt", ".pth"),
        program="import numpy, torch; " + _SAVE.format("torch.load('{file}').numpy()"),
        advice=_FOR_MODELS,
    ),
    ForeignFormat(
        "a safetensors file",
        rb"(?s:.{3}\0{5}\{)",
        (".safetensors",),
        "import numpy, safetensors.numpy as st; " + _SAVE.format("st.load_file('{file}')['NAME']"),
        _FOR_MODELS,
    ),
    ForeignFormat("a Keras model", suffixes=(".keras",), advice="Name it with --model"),
    ForeignFormat("an ONNX model", suffixes=(".onnx",), advice="Name it with --model"),
    ForeignFormat(
        "an SQLite database",
        rb"SQLite format 3\0",
        (".sqlite", ".db"),
        "import pandas, sqlite3; table = pandas.read_sql('select * from TABLE', sqlite3.connect('{file}')); "
        "table.to_csv('{stem}.csv', index=False)",
    ),
    ForeignFormat("a Stata file", rb"<stata_dta>", (".dta",), _pandas("read_stata")),
    ForeignFormat("an SPSS file", rb"\$FL[23]@", (".sav",), _pandas("read_spss")),
    ForeignFormat("a SAS file", suffixes=(".sas7bdat", ".xpt"), program=_pandas("read_sas")),
    ForeignFormat(
        "a NetCDF file",
        rb"CDF[\x01\x02\x05]",
        (".nc",),
        "import xarray; xarray.open_dataset('{file}').to_dataframe().to_csv('{stem}.csv', index=False)",
    ),
    ForeignFormat(
        "a sound file",
        rb"(?s:RIFF.{4}WAVE)",
        (".wav",),
        "import numpy, scipy.io.wavfile as w; x = w.read('{file}')[1]; " + _SAVE.format("x.reshape(len(x), -1)"),
    ),
    ForeignFormat("a gzip archive", rb"\x1f\x8b", (".gz",), advice="Unpack it first: python -m gzip -d {file}"),
    ForeignFormat("a bzip2 archive", rb"BZh[1-9]1AY", (".bz2",), advice="Unpack it first"),
    ForeignFormat("an xz archive", rb"\xfd7zXZ\0", (".xz",), advice="Unpack it first"),
    ForeignFormat("a Zstandard archive", rb"\x28\xb5\x2f\xfd", (".zst",), advice="Unpack it first"),
    ForeignFormat("a 7z archive", rb"7z\xbc\xaf\x27\x1c", (".7z",), advice="Unpack it first"),
    ForeignFormat("UTF-16 text", rb"\xff\xfe|\xfe\xff", advice="Save the file as UTF-8"),
    ForeignFormat("a web page", rb"\s*(?i:<!doctype html|<html)", (".html", ".htm"), advice="Download the file itself"),
    ForeignFormat("XML", rb"\s*<\?xml", (".xml",), _pandas("read_xml")),
    ForeignFormat("a pointer of Git LFS", rb"version https://git-lfs", advice="Fetch the file itself: git lfs pull"),
)
_BY_SUFFIX = {suffix: entry for entry in FORMATS for suffix in entry.suffixes}
_BY_MEMBER = {
    "xl/workbook.xml": ".xlsx",
    "xl/workbook.bin": ".xlsx",
    "META-INF/manifest.xml": ".ods",
    "model.weights.h5": ".keras",
}
"""Members that tell what a zip archive is."""
_ZIP = ForeignFormat(
    "a zip archive without a .npy array", suffixes=(".zip",), advice="Unpack it first: python -m zipfile -e {file} ."
)


def detect_by_content(start: bytes, name: str = "") -> ForeignFormat | None:
    """The format that begins so; None if it is none of these. A byte order mark does not count.

    The name tells JSON Lines from JSON where the first line is long.
    """
    text = start.removeprefix(b"\xef\xbb\xbf")
    entry = next((entry for entry in FORMATS if re.match(entry.pattern, text)), None)
    by_name = detect_by_name(name)
    if entry is not None and by_name is not None and {entry.kind, by_name.kind} == {"JSON", "JSON Lines"}:
        return by_name
    return entry


def detect_by_name(name: str) -> ForeignFormat | None:
    """The format that a file's name tells."""
    return _BY_SUFFIX.get(Path(name).suffix.lower())


def detect_by_members(names: Iterable[str]) -> ForeignFormat:
    """The format of a zip archive that contains no arrays."""
    for name in names:
        suffix = _BY_MEMBER.get(name, ".pt" if name.rpartition("/")[2] == "data.pkl" else "")
        if suffix:
            return _BY_SUFFIX[suffix]
    return _ZIP
