"""The weights file: its header, its metadata, its tensors."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from stages.common import inference
from stages.common.base.names import fault
from stages.common.networks import ARCHITECTURES, BetterCNN, ShallowCNN
from tests.common.test_inference import CLASSES, build
from tests.fuzz.conftest import fuzz, mutated, numbers

FILE = Path(inference.WEIGHTS)
TYPES = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
NORMALISED = {"mean": (0.5, 0.4, 0.3), "std": (0.25, 0.2, 0.3), "epoch": 7}


def saved(architecture, **attributes) -> bytes:
    inference.save(".", build(architecture, **attributes))
    return FILE.read_bytes()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """Return a good file of each kind: with and without normalisation and counters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("weights"))
        return {"better": saved(BetterCNN, **NORMALISED), "shallow": saved(ShallowCNN)}


def parts(content: bytes) -> tuple[dict, bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header: dict | bytes, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def judge(content: bytes) -> None:
    """Check a model that loads against the bytes of its file, read here without any library."""
    FILE.write_bytes(content)
    model = inference.load(".")
    header, body = parts(content)
    description = json.loads(header.pop("__metadata__")["model"])
    assert type(model.network) is ARCHITECTURES[description["architecture"]]
    assert not model.network.training

    assert model.classes == description["classes"] and 1 <= len(model.classes) <= 256
    assert len(set(model.classes)) == len(model.classes)
    assert all(type(name) is str and not fault(name) for name in model.classes)
    assert model.epoch == description["epoch"]
    assert model.epoch is None or type(model.epoch) is int and model.epoch >= 0
    for values, given in ((model.mean, description["mean"]), (model.std, description["std"])):
        assert values == (None if given is None else tuple(given))
        assert values is None or len(values) == 3 and all(type(v) is float for v in values)
        assert values is None or all(map(math.isfinite, values))
    assert (model.mean is None) == (model.std is None)
    assert model.std is None or all(np.float32(value) > 0 for value in model.std)

    tensors = model.network.state_dict()
    needed = ARCHITECTURES[description["architecture"]](len(model.classes)).state_dict()
    assert tensors.keys() == needed.keys() == header.keys()
    for name, tensor in tensors.items():
        assert tensor.shape == needed[name].shape and tensor.dtype == needed[name].dtype
        assert tensor.isfinite().all()
        start, end = header[name]["data_offsets"]
        stored = np.frombuffer(body[start:end], TYPES[header[name]["dtype"]])
        assert np.array_equal(tensor.numpy().reshape(-1), stored)


@pytest.fixture(params=["better", "shallow"])
def good(request, files, folder) -> bytes:
    """Return each good file in turn."""
    judge(files[request.param])
    return files[request.param]


# Only the beginning of a file is drawn: hypothesis remembers it, and whole files would fill the
# memory.


def test_a_damaged_file(good):
    start = 8 + int.from_bytes(good[:8], "little")
    head, rest = good[: start + 100], good[start + 100 :]
    fields = numbers(0, 16, "little") + numbers(start, start + 64, "little")
    fuzz(lambda changed: judge(changed + rest), mutated(head, fields), examples=100)


def test_a_file_cut_short_or_continued(good):
    lengths = st.just(len(good)) | st.integers(0, len(good) + 1000)
    fuzz(lambda length: judge((good + bytes(1000))[:length]), lengths, examples=40)


def test_a_damaged_header_of_the_right_length(good):
    header, body = good[8 : 8 + int.from_bytes(good[:8], "little")], parts(good)[1]
    texts = st.just(header) | mutated(header)
    fuzz(lambda text: judge(joined(text, body)), texts, examples=100)


NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 4, 128, 2**31, 2**62, 2**64, 1.5, True, None, "3"])
SHAPES = st.lists(NUMBERS, max_size=5) | NUMBERS
FORMATS = ["F32", "F16", "BF16", "F64", "I64", "I32", "U8", "BOOL", "F8_E4M3", "F4", "X", "", 1]
KINDS = st.sampled_from(FORMATS)


@st.composite
def headers(draw, content: bytes) -> bytes:
    """Change what the header says of one or two tensors, or which there are."""
    header, body = parts(content)
    for _ in range(draw(st.integers(1, 2))):
        names = sorted(header.keys() - {"__metadata__"})
        name, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        entry = header[name]
        match draw(
            st.sampled_from(["shape", "turn", "dtype", "offsets", "swap", "name", "drop", "add"])
        ):
            case "shape":
                entry["shape"] = draw(SHAPES)
            case "turn" if isinstance(entry["shape"], list):
                entry["shape"] = entry["shape"][::-1]
            case "dtype":
                entry["dtype"] = draw(KINDS)
            case "offsets":
                entry["data_offsets"] = draw(st.lists(NUMBERS, max_size=3))
            case "swap":
                header[name], header[other] = header[other], header[name]
            case "name":
                texts = st.text(max_size=20) | st.sampled_from(["x" * 10**5, "\x1b[2J", "a\nb"])
                header[draw(texts)] = header.pop(name)
            case "drop":
                del header[name]
            case "add":
                end = [len(body)] * 2
                header[draw(st.text(max_size=9))] = entry | {"shape": [0], "data_offsets": end}
    return json.dumps(header).encode()


def test_a_header_that_says_something_else(good):
    header, body = parts(good)
    texts = st.just(json.dumps(header).encode()) | headers(good)
    fuzz(lambda text: judge(joined(text, body)), texts, examples=100)


FLOATS = st.floats() | st.floats(0, 1) | st.sampled_from([0, -0.0, 1, 1e-300, 1e300, 10**400, True])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
METADATA = {
    "architecture": st.sampled_from(["ShallowCNN", "DeepCNN", "VGG16", "shallowcnn", "__init__"]),
    "classes": st.permutations(CLASSES)
    | st.lists(st.text(max_size=4) | st.sampled_from(CLASSES), max_size=4)
    | st.lists(JSON, max_size=4)
    | st.sampled_from([[], [str(n) for n in range(300)], ["a", "b", "\x1b[2J"]]),
    "mean": st.lists(FLOATS, min_size=2, max_size=4),
    "std": st.lists(FLOATS, min_size=2, max_size=4),
    "epoch": st.integers(-2, 10) | st.sampled_from([True, False, 1.0, "1", 10**4000, 2**64]),
}
TEXTS = st.sampled_from(["", "{", "[" * 10**5, '{"a": ' * 10**4, "9" * 5000, "NaN", "x" * 2**21])


@st.composite
def descriptions(draw, content: bytes) -> bytes:
    header, _ = parts(content)
    description = json.loads(header["__metadata__"]["model"])
    for key in draw(st.lists(st.sampled_from(sorted(METADATA)), max_size=2, unique=True)):
        description[key] = draw(METADATA[key] | METADATA[key] | JSON)
    if draw(st.integers(0, 9)) == 0:
        del description[draw(st.sampled_from(sorted(description)))]
    text = json.dumps(description)
    header["__metadata__"]["model"] = draw(
        st.just(text)
        | st.just(text)
        | mutated(text.encode()).map(lambda raw: raw.decode("latin1"))
        | TEXTS
    )
    return json.dumps(header).encode()


def test_metadata_that_say_something_else(good):
    _, body = parts(good)
    fuzz(lambda text: judge(joined(text, body)), descriptions(good), examples=100)


def test_any_number_in_any_tensor(good):
    header, body = parts(good)
    names = sorted(header.keys() - {"__metadata__"})
    values = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, -1.0])

    def judge_number(case):
        name, share, value = case
        start, end = header[name]["data_offsets"]
        at = start + 4 * int(share * ((end - start) // 4 - 1))
        data = body[:at] + np.float32(value).tobytes() + body[at + 4 :]
        judge(joined(header, data))

    cases = st.tuples(st.sampled_from(names), st.floats(0, 1), values)
    fuzz(judge_number, cases, examples=100)
