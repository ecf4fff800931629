"""Damaged contents of files: torn, flipped, of another kind, JSON and HDF5 of another shape."""

import contextlib
import hashlib
import io
import json
from pathlib import Path

import h5py
import numpy as np

from stdpnet.runs.files import SEAL

VALUES = ("null", "true", "-1", "0", "1.5", "1e308", "-1e308", "1e999", "NaN", str(2**63), "9" * 5000, '""', '"x"')
VALUES += ('"\\u001b[31m$a$[/b]\\n"', '"\\ud800"', "[]", "[1]", "[[]]", "{}", '{"a": {}}', "[" * 5000 + "]" * 5000)
"""Pieces of JSON, for the place of another one."""
MARK = "a piece goes here"


def damages(name, whole, rng):
    """Yield damaged contents of a file for ever."""
    while True:
        yield rng.choice([_torn, _flipped, _foreign, _of_kind(name), _of_kind(name), _of_kind(name)])(whole, rng)


def _of_kind(name):
    return {".jsonl": _changed_rows, ".json": _changed_json, ".h5": _changed_hdf5}.get(Path(name).suffix, _foreign)


def _torn(whole, rng):
    return whole[: rng.randrange(len(whole) + 1)]


def _flipped(whole, rng):
    content = bytearray(whole or b"\0")
    for _ in range(rng.choice([1, 1, 20])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _foreign(whole, rng):
    """Return something else, or the same in another encoding."""
    text = whole.decode("latin-1")
    choices = [b"", b"\0" * 4096, b"\xff\xfe", b"\n\n\n", b"\xef\xbb\xbf" + whole, text.encode("utf-16"), b"5" * 5000]
    choices += [
        rng.choice(VALUES).encode() + b"\n",
        whole + b"\0" * 512,
        whole + whole,
        rng.randbytes(3000),
        b"[" * 10**5,
    ]
    choices += [
        b"\x89HDF\r\n\x1a\n" + whole,
        whole.replace(b"\n", b"\r\n"),
        b"x = " + b"[" * 5000,
        b"self = 1\n" + whole,
    ]
    return rng.choice(choices)


def _changed_json(whole, rng):
    """Return JSON of which a value, at any depth, is another one, is missing, or is new."""
    content = [json.loads(whole)]
    places = list(_places(content))
    owner, key = rng.choice(places)
    match rng.randrange(4):
        case 0:
            del owner[key]
        case 1 if isinstance(owner, dict):
            owner[rng.choice(["", "self", "\x1b[1m", "[/x]", "a" * 300])] = owner.pop(key)
        case _:
            owner[key] = MARK
    return "".join(map(json.dumps, content)).replace(json.dumps(MARK), rng.choice(VALUES)).encode()


def _places(content):
    """Yield each container and key of nested JSON."""
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield content, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _changed_rows(whole, rng):
    """Return rows some of which are changed, in another order, repeated, or no rows."""
    lines = whole.splitlines()
    for _ in range(rng.choice([1, 1, 3, 9])):
        number = rng.randrange(len(lines))
        change = rng.randrange(5)
        if change < 3:
            with contextlib.suppress(ValueError, IndexError, RecursionError):
                lines[number] = _changed_json(lines[number], rng)
        elif change == 3:
            lines.insert(number, rng.choice(VALUES).encode())
        else:
            rng.shuffle(lines)
    return b"\n".join([*lines, b""])


def _changed_hdf5(whole, rng):
    """Return an HDF5 file of another layout whose seal is right."""
    buffer = io.BytesIO()
    with h5py.File(io.BytesIO(whole), "r") as source, h5py.File(buffer, "w", userblock_size=SEAL) as file:
        for key, value in source.attrs.items():
            file.attrs[key] = value
        for key in source:
            source.copy(key, file)
        _change(file, rng)
    content = buffer.getvalue()[SEAL:]
    name, version = whole.split(b" ")[:2]
    seal = b"%s %s sha256 %s\n" % (name, version, hashlib.sha256(content).hexdigest().encode())
    return seal.ljust(SEAL, b"\0") + content


def _change(file, rng):
    """Change one attribute, or one array or group, of an open HDF5 file."""
    if rng.random() < 0.25:
        name = rng.choice(list(file.attrs))
        del file.attrs[name]
        values = [None, -1, 2**62, 1.5, float("nan"), "x", b"x", [1, 2], "x" * 60000, np.uint8(3), True]
        if (value := rng.choice(values)) is not None:
            file.attrs[name] = value
        return
    names = []
    file.visit(names.append)
    name = rng.choice(names)
    array = file[name][()] if isinstance(file[name], h5py.Dataset) else np.zeros(3)
    del file[name]
    changes = [
        lambda: None,
        lambda: file.create_group(name),
        lambda: file.__setitem__(name, np.ones((2, 3, 4), np.float32)),
        lambda: file.__setitem__(name, np.asarray(array)[..., None]),
        lambda: file.__setitem__(name, np.zeros(0, array.dtype)),
        lambda: file.__setitem__(name, np.asarray(array).astype(np.complex64)),
        lambda: file.__setitem__(name, np.asarray(array).astype(">f8")),
        lambda: file.__setitem__(name, "a text"),
        lambda: file.__setitem__(name, h5py.Empty("f4")),
        lambda: file.__setitem__(name, h5py.ExternalLink("/etc/passwd", "/x")),
        lambda: file.__setitem__(name, h5py.SoftLink("/nowhere")),
        lambda: file.__setitem__(name, h5py.SoftLink(f"/{name}")),
        lambda: file.__setitem__(name, file["/"]),
        lambda: file.create_dataset(name, (10**6, 10**6), np.float32, chunks=(1, 1000)),
        lambda: file.create_dataset(
            name, array.shape or (1,), np.float32, external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)]
        ),
        lambda: file.__setitem__(name, np.full(array.shape, np.nan, np.float32)),
        lambda: file.__setitem__(name, np.full(array.shape, -1, np.int64)),
        lambda: file.__setitem__(name, np.array([("a", 1)], [("x", "S3"), ("y", "i4")])),
    ]
    with contextlib.suppress(ValueError, TypeError, OSError, RuntimeError):
        rng.choice(changes)()
