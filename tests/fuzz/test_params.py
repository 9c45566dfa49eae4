"""`params.yaml`: its text, and every kind of value under every key of every group."""

import json
import math
from datetime import date
from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml
from hypothesis import strategies as st

from stages.common.base.errors import InputError
from stages.common.base.params import Group, read
from stages.common.reproducible import Compute
from stages.common.study import NETWORKS
from stages.download.params import Download
from stages.evaluate.params import Evaluate
from stages.occlusion.params import Occlusion
from stages.report.params import Report
from stages.split.params import Split
from stages.train.params import Train
from tests.conftest import ROOT, project_params
from tests.fuzz.conftest import fuzz, mutated

SCHEMAS: list[tuple[type[Group], tuple[str, ...]]] = [
    (Download, ("download",)),
    (Split, ("split",)),
    (Compute, ("compute",)),
    (Evaluate, ("evaluate",)),
    (Occlusion, ("occlusion",)),
    (Report, ("report",)),
    *((Train, ("train", group)) for group in NETWORKS.values()),
]
TEXT = (ROOT / "params.yaml").read_bytes()
GOOD = project_params()


def number(low, high):
    return lambda v: type(v) in (int, float) and low <= v <= high


def whole(low, high):
    return lambda v: type(v) is int and low <= v <= high


def one_of(*words):
    return lambda v: v in words


def three_or(check, *others):
    """Accept a list of three good values, or one of the other forms."""
    return lambda v: (
        isinstance(v, list) and len(v) == 3 and all(map(check, v)) or any(o(v) for o in others)
    )


def line(v):
    return type(v) is str and len(v) <= 100 and v.isprintable() and v == v.strip()


SEED, SHARE = whole(0, 2**32 - 1), number(0, 1)
ALLOWED = {
    "source": one_of("sample", "stl10", "npz", "folder"),
    "path": lambda v: v is None or type(v) is str and v,
    "per_class": lambda v: v is None or whole(1, 10**6)(v),
    "protocol": one_of("auto", "parts", "source"),
    "parts": three_or(whole(1, 10**6)),
    "seed": SEED,
    "device": one_of("auto", "cpu", "cuda", "mps"),
    "threads": whole(1, 256),
    "architecture": one_of("ShallowCNN", "DeepCNN", "BetterCNN", "DeepNormCNN", "PlainCNN"),
    "epochs": whole(1, 10_000),
    "batch_size": whole(1, 65_536),
    "processes": whole(1, 64),
    "precision": one_of("float32", "bfloat16"),
    "sizes": lambda v: isinstance(v, list) and 1 <= len(v) <= 100 and all(map(whole(32, 96), v)),
    "optimizer": one_of("adamw", "sgd"),
    "lr": lambda v: number(0, 100)(v) and v > 0,
    "schedule": one_of("constant", "one_cycle"),
    "momentum": lambda v: SHARE(v) and v < 1,
    "weight_decay": SHARE,
    "label_smoothing": lambda v: SHARE(v) and v < 1,
    "normalize": one_of("fixed", "channels"),
    "flip": SHARE,
    "crop": whole(0, 95),
    "rotate": number(0, 180),
    "color": SHARE,
    "erase": whole(0, 95),
    "zoom": SHARE,
    "cutmix": SHARE,
    "group_by": one_of("actual", "predicted"),
    "test_time_augmentation": one_of("none", "flip"),
    "network": one_of("q1", "q2", "augment", "better"),
    "patches": lambda v: (
        isinstance(v, list)
        and 1 <= len(v) <= 6
        and all(map(whole(1, 96), v))
        and len(set(v)) == len(v)
    ),
    "stride": whole(1, 96),
    "fill": three_or(number(0, 255), number(0, 255), lambda v: v == "mean"),
    "author": line,
    "student_number": line,
    "email": lambda v: line(v) and (v == "" or v.count("@") == 1 and " " not in v),
}


def judge(schema: type[Group], groups: tuple[str, ...]) -> None:
    """Check that the values are allowed, and those that DVC itself reads and writes to its lock."""
    values = read(schema, *groups).model_dump()
    content = load_yaml("params.yaml")
    expected = {key: value for group in groups for key, value in content[group].items()}
    assert values == expected
    for key, value in values.items():
        assert ALLOWED[key](value), (key, value)
        assert isinstance(value, bool) == isinstance(expected[key], bool), (key, value)
    if values.get("source") in ("npz", "folder"):
        assert values["path"]
    json.dumps(values, allow_nan=False)


def judge_text(case: tuple[int, bytes]) -> None:
    which, content = case
    Path("params.yaml").write_bytes(content)
    judge(*SCHEMAS[which])


WHICH = st.integers(0, len(SCHEMAS) - 1)


def test_a_damaged_text(folder):
    for which in range(len(SCHEMAS)):
        judge_text((which, TEXT))
    fuzz(judge_text, st.tuples(WHICH, mutated(TEXT)), examples=100)


TOKENS = r"""
    '' 0 -0 1 -1 0.5 1e-5 1e999 -1e999 .nan .inf -.inf 0x1F 0o17 1_000 12:30 ~ null true false on
    2024-01-31 2024-13-45 '"x"' "\u2028" "\e[2J" "\0" '!!int three' !!int !!float !!float,x
    !!bool !!bool,x !!timestamp,x !!binary,x !!set,{a} !!omap,[a] !!python/object:os.system,{} no
    &a,[*a] &a,{a:*a} *a <<:,1 {<<:,[1]} {<<:,*a} [1,2,3] [8,2,3] {a:1} {?,[a],:,b} {?,{a:1},:,b}
    [ ] { } !x,1 - : ? | > % @ ` # --- ... npz sgd mean DeepCNN
""".split()  # noqa: SIM905
LONG_TOKENS = ["[" * 5000, "{a: " * 2000, "9" * 5000, "-" * 9000, "x" * 10**5, "0x" + "f" * 5000]
LONG_TOKENS += [
    "1" + "0" * 400,
    "." + "1" * 5000,
    "'" * 999,
    '"\\x0a"',
    "\N{LINE SEPARATOR}",
    "\x07",
]
LINES = TEXT.decode().splitlines()


@st.composite
def texts(draw) -> bytes:
    """Put what YAML has a meaning for in place of keys and values."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        token = draw(st.sampled_from(TOKENS + LONG_TOKENS)).replace(",", " ")
        at = draw(st.integers(0, len(lines) - 1))
        key, colon, value = lines[at].partition(":")
        match draw(st.sampled_from(["value", "value", "value", "key", "line", "twice", "indent"])):
            case "value":
                lines[at] = f"{key}: {token}"
            case "key":
                lines[at] = f"  {token}:{value}"
            case "line":
                lines.insert(at, token)
            case "twice":
                lines.insert(at, lines[at])
            case "indent":
                lines[at] = draw(st.sampled_from([" ", "\t", "    "])) + lines[at]
    return "\n".join(lines).encode() + b"\n"


def test_tokens_in_place_of_keys_and_values(folder):
    fuzz(judge_text, st.tuples(WHICH, texts()), examples=100)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.sampled_from([2**31, 2**32 - 1, 2**32, -(2**63), 10**400, -(10**4000)])
    | st.floats()
    | st.floats(0, 1)
    | st.text(max_size=8)
    | st.sampled_from(["3", "0.5", "true", "null", "[8, 2, 3]"])
    | st.sampled_from(["sample", "npz", "sgd", "mean", "q1", "parts", "cpu", "actual", "BetterCNN"])
    | st.just(date(2024, 1, 31))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def yaml(value) -> str:
    """Write a value as YAML 1.2 reads it."""
    match value:
        case bool() | None | str():
            return json.dumps(value)
        case float():
            special = {math.inf: ".inf", -math.inf: "-.inf"}
            return special.get(value, ".nan" if math.isnan(value) else json.dumps(value))
        case int():
            return str(value)
        case list():
            return f"[{', '.join(map(yaml, value))}]"
        case dict():
            return f"{{{', '.join(f'{yaml(k)}: {yaml(v)}' for k, v in value.items())}}}"
    return str(value)


@pytest.mark.parametrize("schema, groups", SCHEMAS, ids=[groups[-1] for _, groups in SCHEMAS])
def test_any_value_under_any_key(folder, schema, groups):
    known = sorted(schema.model_fields)

    @st.composite
    def changed(draw):
        content = {group: dict(values) for group, values in GOOD.items()}
        for _ in range(draw(st.integers(0, 2))):
            group = draw(st.sampled_from(groups))
            key = draw(st.sampled_from(known) | st.sampled_from(known) | st.text(max_size=12))
            if draw(st.integers(0, 6)):
                content[group][key] = draw(VALUES)
            else:
                content[group].pop(key, None)
        if draw(st.integers(0, 19)) == 0:
            content[draw(st.sampled_from(groups))] = draw(VALUES)
        return content

    def judge_values(content):
        Path("params.yaml").write_text(yaml(content), encoding="utf-8")
        try:
            judge(schema, groups)
        except InputError as error:
            assert str(error).startswith("params.yaml"), error
            raise

    fuzz(judge_values, changed(), examples=40)


@pytest.mark.parametrize("merge", [False, True])
def test_aliases_that_stand_for_more_than_the_memory_holds(folder, merge):
    """A few lines, each ten times the one before."""
    lines = ["a0: &a0 {x: 1}" if merge else "a0: &a0 [1, 2, 3]"]
    for level in range(1, 12):
        ten = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} " + ("{<<: [%s]}" if merge else "[%s]") % ten)
    Path("params.yaml").write_text("\n".join([*lines, TEXT.decode()]))
    with pytest.raises(InputError, match="params.yaml: not valid YAML: more than 20 aliases"):
        read(Split, "split")


def test_a_few_aliases_are_welcome(folder):
    Path("params.yaml").write_text(
        "seeds: &seed 7\n" + TEXT.decode().replace("seed: 0", "seed: *seed")
    )
    assert read(Split, "split").seed == load_yaml("params.yaml")["split"]["seed"] == 7


@pytest.mark.parametrize("key", ["seed", "epochs", "lr", "flip", "architecture"])
def test_a_number_of_too_many_digits_to_write_is_refused_by_its_key(folder, key):
    lines = [f"  {key}: 0x{'f' * 5000}" if line.startswith(f"  {key}:") else line for line in LINES]
    Path("params.yaml").write_text("\n".join(lines))
    with pytest.raises(InputError, match=f"{key} is a number of thousands of digits"):
        read(Train, "train", "train_q1")
