"""Formats of files: what those that are read begin with and are named, and what to do with the others."""

from __future__ import annotations

from typing import NamedTuple

from convgrad.errors import FileError

SUFFIXES = {
    ".json": "JSON",
    ".csv": "CSV",
    ".tsv": "CSV",
    ".npy": "npy",
    ".npz": "npz",
    ".safetensors": "safetensors",
}
"""The formats that are read, by the suffixes of their files."""


class Other(NamedTuple):
    """A format that is not read: what it is, what turns it into a file that is, its suffixes, what it begins with."""

    what: str
    instead: str
    suffixes: tuple[str, ...]
    begins: tuple[bytes, ...] = ()

    @property
    def refusal(self) -> FileError:
        """Why it is not read, and what to do."""
        return FileError(f"it is {self.what}", hint=self.instead)


SHEET = Other("a spreadsheet", "save the sheet as CSV", (".xlsx", ".xls", ".ods"), (b"\xd0\xcf\x11\xe0",))
TORCH = Other(
    "a PyTorch file",
    "save one tensor of it with np.save('w.npy', torch.load('model.pt', map_location='cpu')['conv1.weight']"
    ".float().numpy()), or all with safetensors.torch.save_file",
    (".pt", ".pth", ".ckpt"),
)
KERAS = Other(
    "a Keras model",
    "save one array of it with np.save('w.npy', keras.saving.load_model('model.keras').layers[0].get_weights()[0])",
    (".keras",),
)

OTHERS = (
    SHEET,
    TORCH,
    KERAS,
    Other(
        "a MATLAB file",
        "save it in MATLAB with writematrix(A, 'a.csv'), or in Python with np.save('a.npy', "
        "scipy.io.loadmat('a.mat')['A'])",
        (".mat",),
        (b"MATLAB 5.0",),
    ),
    Other(
        "an ONNX model",
        "save one array of it with np.save('w.npy', "
        "onnx.numpy_helper.to_array(onnx.load('model.onnx').graph.initializer[0]))",
        (".onnx",),
    ),
    Other(
        "a GGUF model",
        "save one tensor of it with np.save('w.npy', gguf.GGUFReader('model.gguf').tensors[0].data), if it is not "
        "quantised",
        (".gguf",),
        (b"GGUF",),
    ),
    Other(
        "an HDF5 file",
        "save one array of it with np.save('a.npy', h5py.File('a.h5')['name'][()])",
        (".h5", ".hdf5"),
        (b"\x89HDF",),
    ),
    Other("a TensorFlow Lite model", "save one tensor of it with np.save", (".tflite",)),
    Other("compressed", "unpack it first with gunzip", (".gz",), (b"\x1f\x8b",)),
    Other("compressed", "unpack it first with unzip", (".zip",)),
    Other("compressed", "unpack it first", (".bz2", ".xz"), (b"BZh", b"\xfd7zXZ")),
    Other("an image", "save its pixels as npy or CSV", (".png", ".jpg", ".jpeg"), (b"\x89PNG", b"\xff\xd8\xff")),
    Other("a PDF document", "copy its numbers into a text file", (".pdf",), (b"%PDF-",)),
    Other(
        "a Python pickle",
        "save it with np.save",
        (".pickle", ".pkl"),
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    ),
)
"""The formats that people have and convgrad does not read."""

_READ = ((b"\x93NUMPY", "npy"), (b"PK\x03\x04", "npz"), (b"PK\x05\x06", "npz"))


def refuse_by_name(suffix: str) -> None:
    """FileError for the suffix of a format that is not read."""
    for other in OTHERS:
        if suffix in other.suffixes:
            raise other.refusal


def recognised(data: bytes) -> str:
    """What a file holds by its first bytes, a format that is read, else nothing; FileError for one that is not."""
    for other in OTHERS:
        if data.startswith(other.begins):
            raise other.refusal
    if _is_safetensors(data):
        return "safetensors"
    kind = next((kind for begin, kind in _READ if data.startswith(begin)), "")
    if kind == "npz":
        for inside, other in ((b"[Content_Types].xml", SHEET), (b"data.pkl", TORCH), (b"model.weights.h5", KERAS)):
            if inside in data[:4096]:
                raise other.refusal
    return kind


def _is_safetensors(data: bytes) -> bool:
    """Whether it begins with the length of a header in eight bytes, and then the header, which is JSON."""
    length = int.from_bytes(data[:8], "little")
    return data[8:9] == b"{" and b"\0" in data[:8] and 8 + length <= len(data)
