""".pth: what `torch.save(net.state_dict(), ...)` writes, a zip archive with a pickle and the tensors' bytes.

A pickle can run any code, and a zip can unfold to any size. So the archive's directory is looked at first, then the pickle's
opcodes, without running them; and what PyTorch gets, with `weights_only=True`, is an archive that was packed anew from what was seen.
"""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
import zlib
from collections import OrderedDict

from inkling.model import Sequential
from inkling.weights import ZIP_ENTRY

from ..command import require
from . import MAX_FILE, ExchangeError, Found
from .names import MAX_PARAMETERS, to_torch

MAX_MEMBERS = 2000
MAX_PICKLE = 2**20  # bytes; ours have 1,000
# All that the pickle of a state_dict, or of a checkpoint with one, refers to.
HARMLESS = re.compile(r"collections OrderedDict|torch\._utils _rebuild_(tensor_v2|parameter)|torch(\.cuda)? \w+Storage")
INSIDE = ("state_dict", "model_state_dict", "model", "net")  # where a checkpoint has the state_dict


def write(model: Sequential) -> bytes:
    """A state_dict for a `torch.nn.Sequential` of the same layers. The format has no place for temperature, threshold and second look."""
    require("torch")
    import torch

    file = io.BytesIO()
    torch.save(OrderedDict((name, torch.from_numpy(array)) for name, array in to_torch(model).items()), file)
    return file.getvalue()


def read(data: bytes, file: str) -> Found:
    """A state_dict, or a checkpoint that has one. Raises ExchangeError on everything else."""
    archive = repacked(data, file)
    require("torch")
    import torch

    try:
        content = torch.load(io.BytesIO(archive), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle finds many ways to fail, in PyTorch's parser as in Python's
        raise ExchangeError(f"{file}: PyTorch can't read it ({str(error).splitlines()[0] if str(error) else type(error).__name__})") from error
    if not isinstance(content, dict):
        raise ExchangeError(f"{file}: holds a {type(content).__name__}; it must hold a state_dict: torch.save(net.state_dict(), ...)")
    state = next((content[key] for key in INSIDE if isinstance(content.get(key), dict)), content)
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
            raise ExchangeError(f"{file}: {name!r} is no tensor; save the parameters alone: torch.save(net.state_dict(), ...)")
    n = sum(tensor.numel() for tensor in state.values())
    if n > MAX_PARAMETERS:  # whatever the file's size: a tensor may show one number a billion times
        raise ExchangeError(f"{file}: its tensors stand for {n:,} numbers; at most {MAX_PARAMETERS:,} are read")
    return Found({name: (tensor.float() if tensor.is_floating_point() else tensor).detach().numpy() for name, tensor in state.items()})


def repacked(data: bytes, file: str) -> bytes:
    """The archive, checked, and written anew. Raises ExchangeError. Needs no PyTorch."""
    if data.count(ZIP_ENTRY) > MAX_MEMBERS:  # before zipfile lists what may be a million
        raise ExchangeError(f"{file}: has more than {MAX_MEMBERS} members, and no more are read")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive.infolist(), file)
            members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OverflowError, NotImplementedError) as error:
        raise ExchangeError(f"{file}: not a whole file of PyTorch 1.6 or newer ({error}). Older ones: load and save them again there") from error
    _check_pickles(members, file)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _check_directory(entries: list[zipfile.ZipInfo], file: str) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > MAX_FILE:
        raise ExchangeError(f"{file}: unpacks to {total:,} bytes; at most {MAX_FILE:,} are read")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ExchangeError(f"{file}: is compressed, which PyTorch never does; save it with torch.save")
    folders = {entry.filename.partition("/")[0] for entry in entries}
    for entry in entries:
        if ".." in entry.filename.split("/") or entry.filename.startswith("/") or "\\" in entry.filename or len(folders) > 1:
            raise ExchangeError(f"{file}: has a member {entry.filename!r}; PyTorch puts all of them into one folder")
    if len({entry.filename for entry in entries}) < len(entries):
        raise ExchangeError(f"{file}: a member stands twice")


def _check_pickles(members: dict[str, bytes], file: str) -> None:
    """Raises ExchangeError unless there is one pickle, data.pkl, and it calls nothing but what makes tensors."""
    pickles = [name for name in members if name.endswith(".pkl")]
    if [name.partition("/")[2] for name in pickles] != ["data.pkl"] or len(members[pickles[0]]) > MAX_PICKLE:
        raise ExchangeError(f"{file}: must hold one data.pkl of at most {MAX_PICKLE} bytes, as torch.save writes it; a TorchScript file is none")
    try:
        for opcode, argument, _ in pickletools.genops(members[pickles[0]]):
            named = argument if opcode.name in ("GLOBAL", "INST") else opcode.name if opcode.name in ("STACK_GLOBAL", "EXT1", "EXT2", "EXT4") else None
            if named is not None and not HARMLESS.fullmatch(named):
                raise ExchangeError(f"{file}: its pickle wants to call {named!r}, and only tensors are taken. Save the parameters alone: "
                                    "torch.save(net.state_dict(), ...)")
    except ExchangeError:
        raise
    except Exception as error:  # pickletools: damaged opcodes find many ways to be wrong
        raise ExchangeError(f"{file}: its pickle is damaged ({error})") from error
