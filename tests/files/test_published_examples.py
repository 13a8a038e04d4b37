"""Worked examples as their authors print them: what is typed or pasted, and the numbers that they publish."""

import json
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad

D2L = "'tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])'"
D2L_TWO = """'torch.tensor([[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]],
               [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]])'"""
MAZUR = """'{"layers": [
  {"type": "dense", "weights": [[0.15, 0.20], [0.25, 0.30]], "b": 0.35, "activation": "sigmoid"},
  {"type": "dense", "weights": [[0.40, 0.45], [0.50, 0.55]], "b": 0.60, "activation": "sigmoid"}]}'"""
ROWS = "1 0 2 3\n4 6 6 8\n3 1 1 0\n1 2 2 4\n"


@pytest.mark.parametrize(
    ("line", "stdin", "expected"),
    [
        pytest.param(
            f"convgrad conv-forward {D2L} -k 'tensor([[0.0, 1.0], [2.0, 3.0]])'",
            "",
            {"output": [[19, 25], [37, 43]]},
            id="Dive into Deep Learning, corr2d",
        ),
        pytest.param(
            f"convgrad conv-forward {D2L_TWO} -k '[[[0.0, 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]]]'",
            "",
            {"output": [[56, 72], [104, 120]]},
            id="Dive into Deep Learning, two channels",
        ),
        pytest.param(
            "convgrad pool-forward - --size 2 -s 2", ROWS, {"output": [[6, 8], [3, 4]]}, id="Wikipedia, max pooling"
        ),
        pytest.param(
            f"convgrad backprop {MAZUR} '[0.05, 0.10]' '[0.01, 0.99]' --lr 0.5 --only loss,layers[1].W_new",
            "",
            {
                "loss": 0.298371109,
                "layers[1].W_new": [[0.35891648, 0.408666186], [0.511301270, 0.561370121]],
            },
            id="Mazur, step by step backpropagation",
        ),
        pytest.param(
            "convgrad conv-forward - -k 'F = [1 0\n0 -1]'",
            "X =\n\n     1     2     3\n     4     5     6\n     7     8     9\n\n",
            {"output": [[-4, -4], [-4, -4]]},
            id="MATLAB",
        ),
        pytest.param(
            "convgrad dense-backward '[[1],[2]]' '[[1],[\u22121]]' -w '[[1,2],[3,4]]' -b '[[1],[1]]' --only dW,db,dX",
            "",
            {"dW": [[1, 2], [-1, -2]], "db": [1, -1], "dX": [[-2], [-2]]},
            id="column vectors, as lecture notes write them",
        ),
        pytest.param(
            "convgrad conv-forward '[1 2 0\n0 1 1\n2 1 0]' -k '[1 0\n0 1]'",
            "",
            {"output": [[2, 3], [1, 1]]},
            id="rows of bare numbers in brackets",
        ),
        pytest.param(
            "convgrad conv-forward - -k 'tensor([[1.0, -1.0]])'",
            "[[1. 1. 0. 0. 0. 0. 1. 1.]\n [1. 1. 0. 0. 0. 0. 1. 1.]]",
            {"output": [[0, 1, 0, 0, 0, -1, 0]] * 2},
            id="Dive into Deep Learning, edges",
        ),
        pytest.param(
            "convgrad conv-forward 'tensor([[0.0, 1.0], [2.0, 3.0]])' -k 'tensor([[0.0, 1.0], [2.0, 3.0]])' --transposed",
            "",
            {"output": [[0, 0, 1], [0, 4, 6], [4, 12, 9]]},
            id="Dive into Deep Learning, transposed convolution",
        ),
        pytest.param(
            f"convgrad pool-forward {D2L} --size 2 --stride 1 --kind avg",
            "",
            {"output": [[2, 3], [5, 6]]},
            id="Dive into Deep Learning, average pooling",
        ),
    ],
)
def test_published_numbers_come_out(convgrad: Convgrad, line: str, stdin: str, expected: dict[str, Any]) -> None:
    ran = convgrad(line, stdin=stdin)
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-8)


def test_an_abbreviated_print_is_refused_with_what_to_do(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad conv-forward '[[0 1 2 ... 7 8 9]]' -k '[[1]]'")
    assert ran.code == 2 and "the array was printed abbreviated; print it whole" in ran.err
