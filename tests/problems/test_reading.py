"""What is read, once: operands and settings of a layer, a network, and what kind of layer a document is about."""

import json
from pathlib import Path

import pytest
from conftest import Convgrad, quoted

from convgrad.errors import ConvgradError
from convgrad.files import Document
from convgrad.problems.reading import kind_in

HUGE = "1" + "0" * 400


def test_numbers_beyond_a_float_are_read_where_the_document_says_exact(convgrad: Convgrad, tmp_path: Path) -> None:
    """Whatever is read besides: no file is made into floats first."""
    (tmp_path / "k.csv").write_text(f"{HUGE},0\n")
    document = '{"input": [1, 2], "dtype": "exact"}'
    ran = convgrad(f"convgrad conv-forward {quoted(document)} -k {quoted(tmp_path)}/k.csv")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out, parse_int=str) == {"output": [HUGE]}
    floats = convgrad(f"convgrad conv-forward {quoted(document)} -k {quoted(tmp_path)}/k.csv --dtype float64")
    assert (floats.code == 2 and "too large" in floats.err) or "not finite" in floats.err


def test_a_network_is_read_as_the_input_s_document_says(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text('{"layers": [{"type": "dense", "weight": [[0.1, 0.2]]}]}')
    document = '{"input": [0.1, 0.1], "target": [0], "dtype": "exact"}'
    ran = convgrad(f"convgrad backprop {quoted(tmp_path)}/n.json {quoted(document)} --only output")
    assert json.loads(ran.out) == {"output": [0.03]}


def test_a_velocity_that_does_not_fit_is_named_with_its_parameter(convgrad: Convgrad) -> None:
    document = '{"input": [1,2,3], "kernel": [1,2], "delta": [1,2], "velocity_W": [1,2,3]}'
    ran = convgrad(f"convgrad conv-backward {quoted(document)} --lr 1 --momentum 0.9")
    assert ran.code == 2
    assert ran.err.startswith("Error: the literal: velocity_W and kernel: velocity_W is 3, but the kernel is 2; give")


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ({"input": [1], "kernel": [1]}, "conv"),
        ({"input": [1], "stride": 2}, "conv"),
        ({"input": [1], "stride": 2, "size": 2}, "pool"),
        ({"input": [1], "kind": "avg"}, "pool"),
        ({"output": [1], "target": [1], "kind": "mse"}, "loss"),
        ({"input": [1], "W": [[1]], "activation": "relu"}, "dense"),
        ({"input": [1], "activation": "relu"}, "activation"),
        ({"input": [1], "layer": "pool", "kernel": [1]}, "pool"),
    ],
)
def test_what_kind_of_layer_a_document_is_about(entries: dict[str, object], kind: str) -> None:
    assert kind_in(Document("p.json", entries)).name == kind


def test_a_document_may_leave_open_what_it_is_about() -> None:
    with pytest.raises(ConvgradError, match="does not say what layer this is a problem of"):
        kind_in(Document("p.json", {"input": [1]}))


@pytest.mark.parametrize(
    ("command", "document"),
    [
        ("conv-backward", '{"input": [[1,2,3],[4,5,6],[7,8,9]], "kernel": [[1,0],[0,1]], "delta": D}'),
        ("pool-backward", '{"input": [[1,2],[3,4]], "size": 1, "delta": D}'),
        ("dense-backward", '{"input": [1, 2], "weight": [[1, 2], [3, 4]], "delta": D}'),
        ("activation-backward", '{"input": [1, -2], "activation": "relu", "delta": D}'),
        ("norm-backward", '{"input": [[1, -2], [3, 5]], "delta": D}'),
    ],
)
def test_a_lone_delta_in_a_document_means_what_it_means_on_the_command_line(
    convgrad: Convgrad, tmp_path: Path, command: str, document: str
) -> None:
    path = tmp_path / "p.json"
    path.write_text(document.replace("D", "2"))
    alone = convgrad(f"convgrad {command} {path}")
    path.write_text(document.replace(', "delta": D', ""))
    typed = convgrad(f"convgrad {command} {path} -d 2")
    assert (alone.code, alone.out) == (0, typed.out)
    path.write_text(document.replace("D", "2"))
    told = convgrad(f"convgrad mistakes {path} --layer {command.partition('-')[0]} --format json")
    assert told.code == 0 and json.loads(told.out)["results"]["dX"], told.err


def test_a_lone_delta_in_a_file_of_its_own_is_a_scalar(convgrad: Convgrad, tmp_path: Path) -> None:
    for content in ("1", '{"delta": 1}'):
        (tmp_path / "d.json").write_text(content)
        ran = convgrad(f"convgrad conv-backward '[[1,2],[3,4]]' {tmp_path}/d.json -k '[[1]]'")
        assert ran.code == 2 and "delta is a number" in ran.err and "type it: -d 1" in ran.err


def test_what_is_recommended_for_a_lone_delta_can_be_done_where_it_is_said(convgrad: Convgrad, tmp_path: Path) -> None:
    """`mistakes` has no option for a kernel's size: what it recommends is an entry of the document."""
    path, problem = tmp_path / "p.json", {"input": [[1, 2, 3], [3, 4, 5], [1, 1, 1]], "delta": 1}
    path.write_text(json.dumps(problem))
    ran = convgrad(f"convgrad mistakes {quoted(path)} --layer conv")
    assert (ran.code, 'in a file "kernel" or "kernel_size"' in ran.err) == (2, True)
    path.write_text(json.dumps(problem | {"kernel_size": 2}))
    assert convgrad(f"convgrad mistakes {quoted(path)} --layer conv").code == 0
