"""Files that are small and claim to be large are refused with one sentence, before memory is filled."""

import gzip
import io
import multiprocessing
import resource
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from stdpnet.data.loose import read_images
from stdpnet.errors import DataError
from stdpnet.spec.dataset import DatasetSpec

MOST = 400e6
"""Bytes of memory that refusing a file may take."""
BLOCK = bytes(2**24)


def png(file):
    Image.new("L", (100_000, 1)).save(file)


def png_by_its_header(file):
    """Write a picture of 30000 x 30000 pixels without any of them."""
    parts = [
        (b"IHDR", struct.pack(">2I5B", 30_000, 30_000, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def idx(shape, blocks):
    """Return a function that writes a gzipped IDX file of so many blocks of zeros, whatever its header says."""

    def write(file):
        begin = bytes([0, 0, 8, 3]) + struct.pack(">3I", *shape)
        file.write_bytes(gzip.compress(begin) + blocks * gzip.compress(BLOCK))

    return write


def npz(blocks):
    """Return a function that writes an .npz file with an array of so many blocks of zeros."""

    def write(file):
        header = io.BytesIO()
        about = {"descr": "|u1", "fortran_order": False, "shape": (blocks * len(BLOCK) // 784, 28, 28)}
        np.lib.format.write_array_header_1_0(header, about)
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
            packed.open("X.npy", "w", force_zip64=True) as out,
        ):
            out.write(header.getvalue())
            for _ in range(blocks):
                out.write(BLOCK)

    return write


def wide_npz(file):
    np.savez_compressed(file, X=np.full((30, 1, 60_000), 200, np.uint8))


def npy(file):
    """Write an .npy file whose header claims 60 GB."""
    with file.open("wb") as out:
        np.lib.format.write_array_header_1_0(
            out, {"descr": "<f8", "fortran_order": False, "shape": (10_000_000, 28, 28)}
        )


BOMBS = {
    "wide.png": (png, "100000"),
    "claims.png": (png_by_its_header, "8192"),
    "wide.npz": (wide_npz, "60000"),
    "zeros.npz": (npz(20), "unpacks from"),
    "claims.npy": (npy, "not a readable .npy file"),
    "zeros-idx3-ubyte.gz": (idx((10_000_000, 28, 28), 125), "header promises 10000000 x 28 x 28"),
    "longer-idx3-ubyte.gz": (idx((10, 28, 28), 125), "header promises 10 x 28 x 28 = 7840 bytes, at least"),
    "true-idx3-ubyte.gz": (idx((1_300_000, 28, 28), 64), "header promises 1300000 x 28 x 28"),
}


def refused(file, answers):
    """Send what is said about a file, and by how many bytes the peak of this process's memory has grown."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read_images([file], DatasetSpec())
        said = None
    except DataError as error:
        said = str(error)
    answers.send((said, 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)))


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_unpacks_to_gigabytes_is_refused_in_bounded_memory(tmp_path, name):
    write, piece = BOMBS[name]
    write(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 4e6
    answers, sent = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=refused, args=(tmp_path / name, sent))
    process.start()
    process.join(60)
    said, grown = answers.recv() if answers.poll() else ("no answer", 0)
    process.kill()
    assert said is not None
    assert name in said
    assert piece in said
    assert "; " in said
    assert "\n" not in said
    assert grown < MOST
