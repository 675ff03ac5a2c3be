"""Data sets: arrays of a function and of an .npz file, and files of the formats in which others publish theirs."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.netweave.bad_inputs.support import DEVICE, Break, Command, cut, emptied, folder, raw, rows_of, text


def refused(command: Command, data: str, says: str) -> None:
    (command.folder / "net.toml").write_text(f'data = "{data}"\n[train]\nepochs = 0\n{DEVICE}')
    command.refuses("train net.toml -o run", says)
    assert not list(command.run.glob("train"))


# bodies of a function that has arrays x and y of 100 images, a dict `whole` of them, and returns what it likes
SETS = [
    ("nothing", "return None", "own.py:build': the function must return a Dataset or a dict, not NoneType"),
    ("a list", "return [x, y]", "the function must return a Dataset or a dict, not list"),
    ("a tuple", "return x, y", "the function must return a Dataset or a dict, not tuple"),
    ("an exit", "raise SystemExit(4)", "own.py:build': the function failed: SystemExit: 4"),
    ("a failure", "return whole['x']", "own.py:build': the function failed: KeyError: 'x'"),
    ("a file that is missing", "return np.load('absent.npy')", "the function failed: FileNotFoundError: [Errno 2] No"),
    ("no arrays", "return {}", "has no 'x_train'; it has nothing"),
    ("no labels", "return dict(x_train=x)", "has no 'y_train'; it has x_train"),
    ("no test split", "del whole['x_test']; return whole", "has no 'x_test'; it has x_train, y_train, y_test"),
    ("half a validation split", "return dict(whole, x_val=x)", "has no 'y_val'; it has x_train, y_train, x_test,"),
    ("ragged rows", "return dict(whole, x_train=[[1], [1, 2]])", "x_train: is no array: setting an array element"),
    ("texts", "return dict(whole, x_train=x.astype(str))", "x_train: <U32 (100, 1, 8, 8) must be numbers [n, C, H, W]"),
    ("objects", "return dict(whole, x_train=x.astype(object))", "x_train: object (100, 1, 8, 8) must be numbers [n,"),
    ("truths", "return dict(whole, x_train=x > 0)", "x_train: bool (100, 1, 8, 8) must be numbers [n, C, H, W]"),
    ("complex", "return dict(whole, x_train=x * 1j)", "x_train: complex64 (100, 1, 8, 8) must be numbers [n, C, H, W]"),
    ("dates", "return dict(whole, x_train=x.astype('M8[s]'))", "x_train: datetime64[s] (100, 1, 8, 8) must be numbers"),
    ("one axis", "return dict(whole, x_train=x.ravel())", "x_train: float32 (6400,) must be numbers [n, C, H, W], [n,"),
    ("five axes", "return dict(whole, x_train=x[None])", "x_train: float32 (1, 100, 1, 8, 8) must be numbers [n, C, H"),
    ("a number", "return dict(whole, x_test=3)", "x_test: int64 () must be numbers [n, C, H, W], [n, H, W]"),
    ("no image", "return dict(whole, x_train=x[:0], y_train=y[:0])", "x_train: float32 (0, 1, 8, 8) must be numbers"),
    ("no test image", "return dict(whole, x_test=x[:0], y_test=y[:0])", "x_test: float32 (0, 1, 8, 8) must be numbers"),
    ("no channel", "return dict(whole, x_train=x[:, :0])", "x_train: float32 (100, 0, 8, 8) must be numbers"),
    ("one image", "return dict(whole, x_train=x[:1], y_train=y[:1])", "x_train: 1 image must be 2 or more where"),
    (
        "channels last", "return dict(whole, x_train=np.zeros((100, 8, 8, 3), np.float32))",
        "x_train: shape (100, 8, 8, 3) looks like channels last; give x_train.transpose(0, 3, 1, 2)",
    ),
    ("a pixel that is none", "x[7, 0, 2] = np.nan; return whole", "x_train[7, 0, 2, 0]: nan must be a finite number"),
    (
        "a pixel without end", "z = x.copy(); z[3] = -np.inf; return dict(whole, x_test=z)",
        "x_test[3, 0, 0, 0]: -inf must be a finite",
    ),
    (
        "a pixel beyond float32", "z = x.astype(float); z[0] = 1e39; return dict(whole, x_train=z)",
        "x_train[0, 0, 0, 0]: 1e+39 must be a finite number of at most 3.40e+38",
    ),
    ("pixels too large", "x[:] = 1e38; return whole", "are not finite; the images or the weights up to it are"),
    (
        "integers too large", "return dict(whole, x_train=x.astype(int) + 2**62, x_test=x.astype(int))",
        "pixels need integers 0 to 4611686018427387904; 8 bits",
    ),
    (
        "unsigned integers too large",
        "return dict(whole, x_train=x.astype('u8') + np.uint64(2**63), x_test=x.astype('u8'))",
        "pixels need integers 0 to 9223372036854775808",
    ),
    (
        "one channel and two", "return dict(whole, x_test=np.zeros((100, 2, 8, 8), np.float32))",
        "x_test: (2, 8, 8) must be x_train's shape, (1, 8, 8)",
    ),
    ("images of two sizes", "return dict(whole, x_test=x[:, :, :7])", "x_test: (1, 7, 8) must be x_train's shape,"),
    ("floats and integers", "return dict(whole, x_test=x.astype(int))", "x_test: int64 must be float if and only if"),
    ("fewer labels", "return dict(whole, y_train=y[:99])", "y_train: int64 (99,) must be integers of shape (100,)"),
    ("labels of one hot", "return dict(whole, y_train=np.eye(10, dtype=int)[y])", "y_train: int64 (100, 10) must be"),
    ("labels in floats", "return dict(whole, y_train=y.astype(float))", "y_train: float64 (100,) must be integers of"),
    ("labels as text", "return dict(whole, y_test=y.astype(str))", "y_test: <U21 (100,) must be integers of shape"),
    ("labels as truth", "return dict(whole, y_train=y > 4)", "y_train: bool (100,) must be integers of shape (100,)"),
    ("a label below 0", "y[0] = -1; return whole", "y_train: -1 must be a class, 0 to 65535"),
    ("a label far off", "y[0] = 2**40; return whole", "y_train: 1099511627776 must be a class, 0 to 65535"),
    ("a label of 1000", "y[0] = 999; return whole", "network 'net' gives 1x1x10; data set ... needs 1x1x1000"),
    (
        "a label beyond int64", "return dict(whole, y_train=y.astype('u8') + np.uint64(2**63))",
        "y_train: 9223372036854775808 must be a class, 0 to 65535",
    ),
    ("one class", "y[:] = 0; return whole", "classes: 1 must be 2 or more"),
    (
        "labels from 1", "return dict(whole, y_train=y + 1, y_test=y + 1)",
        "network 'net' gives 1x1x10; data set ... needs 1x1x11",
    ),
    ("no scale", "return dict(whole, input_scale=0)", "input_scale: array(0) must be one positive number"),
    ("a scale below 0", "return dict(whole, input_scale=-0.5)", "input_scale: array(-0.5) must be one positive number"),
    ("a scale that is none", "return dict(whole, input_scale=float('nan'))", "input_scale: array(nan) must be one"),
    ("two scales", "return dict(whole, input_scale=[1, 2])", "input_scale: array([1, 2]) must be one positive number"),
    ("a scale as text", "return dict(whole, input_scale='1/255')", "input_scale: array('1/255', dtype='<U5') must be"),
    (
        "a scale that does not divide", "x[0] = 0.3; return dict(whole, input_scale=0.5)",
        "input_scale: 0.5 does not divide every pixel, ",
    ),
    (
        "a scale too small", "x[0] = 1; return dict(whole, input_scale=1e-30)",
        "pixels need integers 0 to 999999999999999879147136483328; 8 bits is the limit",
    ),
    ("all and a bit", "return dict(whole, percentile=100.1)", "percentile: array(100.1) must be one number above 0,"),
    ("no percent", "return dict(whole, percentile=0)", "percentile: array(0) must be one number above 0, and at most"),
    (
        "percent of integers", "x = x.astype(int); return dict(whole, x_train=x, x_test=x, percentile=99)",
        "percentile: 99 is for floats that need a scale; integers are taken as they are",
    ),
    (
        "percent of a scale", "return dict(whole, input_scale=1, percentile=99)",
        "percentile: 99 is for floats that need a scale; input_scale is given",
    ),
    ("sparse as text", "return dict(whole, sparse='yes')", "sparse: array('yes', dtype='<U3') must be 0 or 1"),
    ("sparse by two", "return dict(whole, sparse=2)", "sparse: array(2) must be 0 or 1"),
    ("sparse that is none", "return dict(whole, sparse=np.nan)", "sparse: array(nan) must be 0 or 1"),
    (
        "sparse features", "x = x.reshape(100, 64); return dict(whole, x_train=x, x_test=x, sparse=1)",
        "sparse: 1 is for images; [n, features] are of one site, always active",
    ),
    ("a key unknown", "return dict(whole, x_valid=x, y_valid=y)", "x_valid: is unknown; did you mean 'x_val'? valid"),
]  # fmt: skip


@rows_of("body, says", SETS)
def test_functions(command: Command, body: str, says: str) -> None:
    arrays = "x, y = np.zeros((100, 1, 8, 8), np.float32), np.arange(100) % 10"
    whole = "whole = dict(x_train=x, y_train=y, x_test=x, y_test=y)"
    content = f"import numpy as np\ndef build():\n    {arrays}\n    {whole}\n    {body}\n"
    (command.folder / "own.py").write_text(content)
    refused(command, "own.py:build", says.replace("own.py", str(command.folder / "own.py")))


def pickled(path: Path) -> None:
    """An archive with an array of objects."""
    np.savez(path, x_train=np.array([None, {}], dtype=object))


def named(name: str, content: bytes) -> Break:
    """An archive with this one file in it."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, content)

    return write


def array(**header: object) -> bytes:
    """A file of an array with a header that says what it likes."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f4", "fortran_order": False, "shape": (2,), **header})  # type: ignore[arg-type]
    return content.getvalue() + bytes(8)


# what is no archive of arrays: name, break, what the error says
ARCHIVES = [
    ("an empty file", raw(b""), "own.npz': is not a readable .npz file: No data left in file"),
    ("text", text("x_train"), "own.npz': is not a readable .npz file: "),
    ("half an archive", cut, "own.npz': is not a readable .npz file: "),
    ("a pickle", raw(pickle.dumps({"x_train": 1})), "own.npz': is not a readable .npz file: "),
    ("one array", lambda path: path.write_bytes(array()), "own.npz': is not a readable .npz file: it is one array"),
    ("a picture", raw(b"\x89PNG\r\n\x1a\n" + bytes(99)), "own.npz': is not a readable .npz file: "),
    ("gzip", raw(gzip.compress(b"x")), "own.npz': is not a readable .npz file: "),
    ("no array", emptied, "own.npz' has no 'x_train'; it has nothing"),
    ("another file in it", named("x_train", b"text"), "own.npz': is not a readable .npz file: 'x_train' in it is no"),
    ("objects", pickled, "own.npz': is not a readable .npz file: Object arrays cannot be loaded when"),
    ("an array cut off", named("x_train.npy", array(shape=(9,))), "own.npz': is not a readable .npz file: "),
    (
        "an array beyond memory", named("x_train.npy", array(shape=(2**40, 2**20))),
        "own.npz': is not a readable .npz file: ",
    ),
    (
        "an array of no numbers", named("x_train.npy", array(descr="nonsense")),
        "own.npz': is not a readable .npz file: ",
    ),
    (
        "a header of code", named("x_train.npy", b"\x93NUMPY\x01\x00\x10\x00__import__('os')"),
        "own.npz': is not a readable .npz file: ",
    ),
    (
        "a header of brackets", named("x_train.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 9000) + b"(" * 9000),
        "own.npz': is not a readable .npz file: ",
    ),
    (
        "a newer header", named("x_train.npy", b"\x93NUMPY\x09\x00" + bytes(99)),
        "own.npz': is not a readable .npz file: ",
    ),
]  # fmt: skip


@rows_of("change, says", ARCHIVES)
def test_archives(command: Command, change: Break, says: str) -> None:
    path = command.folder / "own.npz"
    np.savez(path, x_train=np.zeros((100, 1, 8, 8)), y_train=np.zeros(100))
    change(path)
    refused(command, "own.npz", says)


def test_a_folder_for_an_archive(command: Command) -> None:
    (command.folder / "own.npz").mkdir()
    refused(command, "own.npz", "net.toml: data: 'own.npz': there is no file")


def pair(x: np.ndarray, y: np.ndarray, **more: np.ndarray) -> Break:
    return lambda path: np.savez(path, x=x, y=y, **more)  # type: ignore[arg-type]


BYTES = np.zeros((20, 32, 32, 3), np.uint8)
LABELS = np.arange(20) % 10

# train.npz of a folder with CIFAR-10: name, break, what the error says
PHOTOGRAPHS = [
    ("no file", Path.unlink, "data set 'cifar10': ... must hold one train*.npz; there are none"),
    ("two files", lambda path: path.with_name("train2.npz").write_bytes(b""), "must hold one train*.npz; there are"),
    ("half a file", cut, "train.npz is no npz file with x and y: "),
    ("no arrays", emptied, "train.npz is no npz file with x and y: "),
    ("floats", pair(BYTES / 255, LABELS), "train.npz, x: float64 (20, 32, 32, 3) must be uint8 [n, H, W, 3]"),
    ("channels first", pair(BYTES.transpose(0, 3, 1, 2), LABELS), "train.npz, x: uint8 (20, 3, 32, 32) must be uint8"),
    ("no images", pair(BYTES[:0], LABELS[:0]), "x: uint8 (0, 32, 32, 3) must be uint8 [n, H, W, 3], n >= 1"),
    ("fewer labels", pair(BYTES, LABELS[:7]), "train.npz, y: int64 (7,) must be integers of shape (20,)"),
    ("labels as text", pair(BYTES, np.array(["cat"] * 20)), "train.npz, y: <U3 (20,) must be integers of shape (20,)"),
    ("labels in floats", pair(BYTES, LABELS + 0.5), "train.npz, y: float64 (20,) must be integers of shape (20,)"),
    ("a label of 10", pair(BYTES, LABELS + 1), "data set 'cifar10', train_y: 1 to 10 must be 0 to 9"),
    ("objects", pair(BYTES, np.array([None] * 20)), "train.npz is no npz file with x and y: Object arrays cannot be"),
    ("other sizes", pair(BYTES[:, :30], LABELS), "data set 'cifar10', test_x: (3, 32, 32) must have train_x's shape,"),
]  # fmt: skip


@rows_of("change, says", PHOTOGRAPHS)
def test_photographs(command: Command, change: Callable[[Path], object], says: str) -> None:
    for split in ("train", "test"):
        np.savez(command.folder / f"{split}.npz", x=BYTES, y=LABELS)
    change(command.folder / "train.npz")
    refused(command, "cifar10:.", says)


def idx(kind: int, sides: tuple[int, ...], content: bytes) -> bytes:
    return gzip.compress(struct.pack(f">HBB{len(sides)}I", 0, kind, len(sides), *sides) + content)


# files of a folder with Fashion-MNIST: name, file, break, what the error says
CLOTHES = [
    ("no file", "train-images-idx3", Path.unlink, "data set 'fashion_mnist': ... train-images-idx3-ubyte.gz is not"),
    ("a folder", "t10k-labels-idx1", folder, "t10k-labels-idx1-ubyte.gz is not there; install Debian's package"),
    ("no compression", "train-images-idx3", text("images"), "ubyte.gz is no IDX file of bytes: Not a gzipped file"),
    ("half a file", "t10k-images-idx3", cut, "t10k-images-idx3-ubyte.gz is no IDX file of bytes: Compressed file"),
    ("an empty stream", "train-labels-idx1", raw(gzip.compress(b"")), "is no IDX file of bytes: unpack_from requires"),
    (
        "floats", "train-images-idx3", raw(idx(13, (20, 28, 28), bytes(20 * 784))),
        "is no IDX file of bytes: begins with 00000d03",
    ),
    (
        "labels for images", "train-images-idx3", raw(idx(8, (20,), bytes(20))),
        "is no IDX file of bytes: begins with 00000801",
    ),
    (
        "fewer bytes", "train-images-idx3", raw(idx(8, (20, 28, 28), bytes(99))),
        "is no IDX file of bytes: cannot reshape",
    ),
    ("no images", "train-images-idx3", raw(idx(8, (0, 28, 28), b"")), "fashion_mnist': ... has 0 images and 20"),
    ("fewer labels", "train-labels-idx1", raw(idx(8, (7,), bytes(7))), "fashion_mnist': ... has 20 images and 7"),
    ("a label of 10", "t10k-labels-idx1", raw(idx(8, (20,), bytes([10] * 20))), "must be 0 to 9"),
    (
        "other sizes", "t10k-images-idx3", raw(idx(8, (20, 27, 28), bytes(20 * 27 * 28))),
        "data set 'fashion_mnist', test_x: (1, 27, 28) must have train_x's shape, (1, 28, 28)",
    ),
]  # fmt: skip


@rows_of("file, change, says", CLOTHES)
def test_clothes(command: Command, file: str, change: Callable[[Path], object], says: str) -> None:
    for split in ("train", "t10k"):
        (command.folder / f"{split}-images-idx3-ubyte.gz").write_bytes(idx(8, (20, 28, 28), bytes(20 * 784)))
        (command.folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(idx(8, (20,), bytes(LABELS.tolist())))
    change(command.folder / f"{file}-ubyte.gz")
    refused(command, "fashion_mnist:.", says)
