"""Malicious files: nothing in them runs, and none takes more time or memory than its size allows."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles import checkpoint_files as files
from tests.doubles.checkpoint_files import FLOAT, Call, Name, Outside, nested, opened

SYSTEM, EVAL = Name("posix", "system"), Name("builtins", "eval")
TOUCH = "touch touched"
CODE = "open('touched', 'w')"

# Names that attacks have used, and names near the allowed ones.
NEIGHBOURS = """
os.system nt.system subprocess.Popen builtins.exec builtins.getattr builtins.open
builtins.__import__ __builtin__.eval __builtin__.apply importlib.import_module sys.exit
operator.attrgetter functools.partial types.CodeType types.FunctionType socket.create_connection
pickle.loads _pickle.loads copyreg._reconstructor copyreg.__newobj__ runpy.run_path timeit.timeit
webbrowser.open pathlib.Path shutil.rmtree ctypes.CDLL torch.load torch.hub.load torch.jit.load
torch._utils._rebuild_tensor_v2.__globals__ numpy.load torch._utils.__builtins__.eval
torch.storage.torch.load numpy.core.multiarray.fromfile numpy.testing._private.utils.runstring
dnnlib.util.call_func_by_name dnnlib.util.open_url torch_utils.persistence.import_hook
collections.OrderedDict.__init__ collections.namedtuple argparse.FileType
argparse.Namespace.__class__ torch.nn.Module _codecs.decode torch.Tensor
"""
# Reads files while every import, call and opening is watched; prints what was seen.
WATCH = """
import copyreg, json, sys
from perform.networks.checkpoints import CheckpointError, read_checkpoint
from perform.generators.load import NETWORK_PACKAGES

copyreg.add_extension("posix", "system", 241)
seen, ends = [], []
watching, path = False, ""

def hook(event, args):
    harmless = event in ("mmap.__new__", "builtins.id") or (event == "open" and args[:2] == (path, "r"))
    if watching and not harmless:
        seen.append(f"{path}: {event} {args!r}"[:300])

sys.addaudithook(hook)
for path in sys.argv[2:]:
    watching = True
    try:
        read_checkpoint(path, NETWORK_PACKAGES if sys.argv[1] == "whole" else ())
        end = ""
    except CheckpointError as error:
        end = str(error)
    finally:
        watching = False
    ends.append(end)
found = list(seen)
watching = True
import colorsys
watching = False
print(json.dumps([found, ends, len(seen) > len(found)]))
"""


def attacks() -> list[tuple[str, bytes]]:
    return [*calls(), *machine_tricks(), *foreign_values()]


def calls() -> Iterator[tuple[str, bytes]]:
    """Streams that run code in pickle.load, or would with an incautious find_class."""
    for protocol in range(6):
        yield f"reduce{protocol}", files.pickled(Call(SYSTEM, (TOUCH,)), protocol)
        yield f"eval{protocol}", files.pickled({"G_ema": [Call(EVAL, (CODE,))]}, protocol)
    for dotted in NEIGHBOURS.split():
        where, _, name = dotted.rpartition(".")
        yield dotted, files.pickled(Call(Name(where, name), (CODE,)), 4)
        where, _, name = dotted.partition(".")
        yield f"{dotted} otherwise", files.pickled(Call(Name(where, name), (CODE,)), 2)


def machine_tricks() -> Iterator[tuple[str, bytes]]:
    """Opcodes that call, set or refer in other ways."""
    yield "inst", b"(S'" + CODE.encode() + b"'\nibuiltins\neval\n."
    yield "obj", b"(cbuiltins\neval\nS'1'\no."
    yield "obj in binary", b"\x80\x02(cos\nsystem\nX\x05\0\0\0touch" + b"o."
    yield "newobj", files.pickled(Call(EVAL, (CODE,), new=True), 2)
    yield "newobj_ex", b"\x80\x04cbuiltins\neval\n)}\x92."
    yield "newobj_ex with names", b"\x80\x04ccollections\nOrderedDict\n)}\x8c\x01aK\x01s\x92."
    yield "stack_global", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x05touch\x85R."
    yield "stack_global of no text", b"\x80\x04K\x01K\x02\x93."
    for code, wide in ((b"\x82", 1), (b"\x83", 2), (b"\x84", 4)):
        yield (
            f"extension {wide}",
            b"\x80\x02" + code + (241).to_bytes(wide, "little") + b"\x8c\x05touch\x85R.",
        )
    yield (
        "nested reduce",
        files.pickled(Call(Call(Name("builtins", "getattr"), (SYSTEM, "__call__")), (TOUCH,))),
    )
    yield "reduce of a value", b"\x80\x02X\x04\0\0\0eval)R."
    yield "reduce of a result", files.pickled(Call(Call(files.DICT), ("keys",)))
    yield "reduce of a record", files.pickled(Call(Call(files.PERSISTENT, ({},)), (CODE,)))
    yield "reduce without a tuple", b"\x80\x02ccollections\nOrderedDict\n]R."
    yield "a name in place of arguments", b"\x80\x02ccollections\nOrderedDict\nccollections\nOrderedDict\nR."
    yield "memo", b"\x80\x02ccollections\nOrderedDict\nq\x000cos\nsystem\nq\x000h\x00X\x05\0\0\0touch\x85R."
    yield "build", files.pickled(Call(Name("argparse", "Namespace"), (), {"__class__": EVAL}, new=True))
    yield "build of a list", b"\x80\x02]}b."
    yield "build of a name", b"\x80\x02cargparse\nNamespace\n}X\x01\0\0\0aK\x01sb."
    yield "items of a list", b"\x80\x02]K\x01K\x02s."
    yield "append to a record", b"\x80\x02cargparse\nNamespace\n)\x81K\x01a."
    yield "persistent", b"\x80\x02X\x01\0\0\0aQ."
    yield "persistent in text", b"Pa\n."
    yield "buffers", b"\x80\x05\x97\x98."


def foreign_values() -> Iterator[tuple[str, bytes]]:
    """Streams within streams, references and arrays."""
    for coding in ("rot13", "zlib_codec", "unicode_escape", "idna", "../x"):
        yield f"encode {coding}", files.pickled(Call(Name("_codecs", "encode"), ("a", coding)))
    for place in range(5):
        parts: list[Any] = [
            files.MAGIC,
            1001,
            files.SYSTEM,
            Outside(FLOAT),
            ["0"],
        ]
        parts[place] = Call(SYSTEM, (TOUCH,))
        yield f"nested {place}", nested(*parts)
    inner = Call(Name("torch.storage", "_load_from_bytes"), (b"\x80\x02N.",))
    yield "nested in nested", nested(files.MAGIC, 1001, files.SYSTEM, inner, [])
    for reference in (
        ("storage", SYSTEM, "0", "cpu", 1), ("storage", "posix.system", "0", "cpu", 1), SYSTEM, "storage",
        ("storage", Name("torch", "FloatStorage"), "../../../../etc/passwd", "cpu", 1),
        ("storage", Name("torch", "FloatStorage"), "0", "cpu", -1), ("module", SYSTEM, "a", CODE),
        ("storage", Call(Name("torch", "FloatStorage")), "0", "cpu", 1), ("storage",),
        ("storage", [], [], [], []),
    ):  # fmt: skip
        yield f"reference {len(str(reference))}", files.zipped(Outside(reference), {"0": bytes(4)})
    yield "zip", files.zipped({"a": Call(SYSTEM, (TOUCH,))}, {})
    yield "zip packed", files.zipped({"a": Call(SYSTEM, (TOUCH,))}, {}, packed=True)
    yield "legacy", files.legacy(Call(SYSTEM, (TOUCH,)), {})
    for kind in ("O8", "O", "V8", "f16", "m8", "f4,O", "M8[ns]", "", "U0", 3, None, ["O"]):
        typed = Call(Name("numpy", "dtype"), (kind, False, True), (3, "|", None, None, None, -1, -1, 63))
        yield (
            f"scalar {kind}",
            files.pickled(Call(Name("numpy.core.multiarray", "scalar"), (typed, bytes(8)))),
        )
        empty = Call(
            Name("numpy.core.multiarray", "_reconstruct"), (Name("numpy", "ndarray"), (0,), b"b"),
            (1, (1,), typed, False, [1]),
        )  # fmt: skip
        yield f"array {kind}", files.pickled(empty)
    yield (
        "array of a class",
        files.pickled(Call(Name("numpy.core.multiarray", "_reconstruct"), (files.DICT, (0,), b"b"))),
    )
    for save in (np.savez, np.save):
        stream = io.BytesIO()
        save(stream, np.array([{}], object), allow_pickle=True)  # type: ignore[operator]
        yield f"{save.__name__} of objects", stream.getvalue()
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').system('touch'),), }\n"
    yield "npy header", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    ("names", "inert"), [("few", set()), ("whole", {"torch.nn.Module", "torch.nn.Module otherwise"})]
)
def test_an_attack_imports_calls_and_opens_nothing(tmp_path: Path, names: str, inert: set[str]) -> None:
    """Also where names of networks are read as records, as by `load`."""
    paths, harmless = [], files.samples()
    for number, content in enumerate([*harmless.values(), *(content for _, content in attacks())]):
        paths.append(tmp_path / f"{number}.pkl")
        paths[-1].write_bytes(content)
    command = [sys.executable, "-W", "error", "-c", WATCH, names, *map(str, paths)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen, ends, watched = json.loads(done.stdout)
    assert watched
    assert seen == []
    assert ends[: len(harmless)] == [""] * len(harmless)
    passed = [name for (name, _), end in zip(attacks(), ends[len(harmless) :], strict=True) if not end]
    assert set(passed) == inert
    assert not (tmp_path / "touched").exists()


def test_state_is_stored_and_not_applied(tmp_path: Path) -> None:
    state = dict.fromkeys(("__setstate__", "__class__", "__dict__", "__reduce__", "name", "args"), "x")
    content = files.pickled(Call(Name("argparse", "Namespace"), (), state, new=True))
    record = opened(tmp_path, content)
    assert (record.name, record.args, record.state) == ("argparse.Namespace", (), state)
