"""Files are read without running what they hold, and refused in words."""

import pickle

import numpy as np
import pytest

from keras_contrastive.encoders.tensor_files import read_tensors, write_tensors

torch = pytest.importorskip("torch")


class Code:
    """Unpickling it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_not_run(zipped, tmp_path):
    path, trace = tmp_path / "x.pth", tmp_path / "trace"
    content = {"state_dict": {"a": torch.ones(2)}, "args": Code(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"could use to run code, so it was not read"):
        read_tensors(path)
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Code(trace), protocol=2))
    with pytest.raises(ValueError, match="Received"):
        read_tensors(path)
    assert not trace.exists()


def test_tensors_have_the_names_of_their_dicts(tmp_path):
    half = torch.ones(2, dtype=torch.bfloat16)
    content = {"model": {"a": half, "n": torch.tensor(3)}, "optimizer": {"b": half}, "epoch": 3}
    torch.save(content, tmp_path / "x.pt")
    tensors = read_tensors(tmp_path / "x.pt")
    assert list(tensors) == ["model/a", "model/n"]
    assert tensors["model/a"].dtype == np.float32


def test_safetensors_go_round(tmp_path):
    array = np.arange(6, dtype="float32").reshape(2, 3)
    write_tensors(tmp_path / "x.safetensors", {"a": array.T})
    np.testing.assert_array_equal(read_tensors(tmp_path / "x.safetensors")["a"], array.T)


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_damaged_files_are_refused(name, tmp_path):
    path = tmp_path / name
    if name == "x.pth":
        torch.save({"a": torch.ones(1000)}, path)
    else:
        write_tensors(path, {"a": np.ones(1000, "float32")})
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(ValueError, match=r"Expected .* to be a complete .*opy it again"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.h5", None, r"ends in \.safetensors, \.pth"),
        ("none.pth", None, "which does not exist"),
        ("x.pth", [1], "to hold a dict. Received: list"),
        ("x.pth", {"epoch": 3}, "with tensors. Received"),
    ],
)
def test_other_files_are_refused(name, content, message, tmp_path):
    path = tmp_path / name
    if content is not None:
        torch.save(content, path)
    with pytest.raises(ValueError, match=message):
        read_tensors(path)
