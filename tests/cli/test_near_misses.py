"""Names that people use are taken, or told what they mean; a kernel that stands as an argument is told its option."""

import json

import pytest
from conftest import Convgrad


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("convgrad batchnorm-backward x.json d.json", "Did you mean 'norm-backward'?"),
        (
            "convgrad conv-backward x.json --pool 2",
            "there is no option --pool: a pooling is a layer of its own, pool-forward and pool-backward",
        ),
        (
            "convgrad conv-backward input.json kernel.json delta.json",
            "(delta.json): 'convgrad conv-backward' takes INPUT [DELTA]; what else it needs follows the name of an "
            "option: -k kernel, -b bias",
        ),
        (
            "convgrad conv-forward input.json kernel.json",
            "takes INPUT; what else it needs follows the name of an option",
        ),
        ("""convgrad conv-backward '[1,2]' '[1]' -k '[1,1]' --check '{"dK": [1, 2]}'""", "Did you mean 'dW'?"),
        ("""convgrad conv-backward '[1,2]' '[1]' -k '[1,1]' --check '{"dInput": [1, 2]}'""", "Did you mean 'dX'?"),
        ("convgrad conv-backward x.json --pading 2", "Did you mean '--padding'?"),
    ],
)
def test_what_is_nearly_right_is_told_what_to_do(convgrad: Convgrad, line: str, said: str) -> None:
    ran = convgrad(line)
    assert ran.code == 2 and not ran.out
    assert said in ran.err, ran.err


@pytest.mark.parametrize("kernel", ["kernel", "weight", "weights", "w", "W", "K", "k", "filter", "filters", "Filter"])
@pytest.mark.parametrize("delta", ["delta", "dout", "dY", "dZ", "grad_output"])
def test_a_document_may_use_the_names_that_people_use(convgrad: Convgrad, kernel: str, delta: str) -> None:
    held = json.dumps({"x": [[1, 2], [3, 4]], kernel: [[1, 2]], delta: [[1], [1]], "stride": 1})
    ran = convgrad(f"convgrad conv-backward '{held}'")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["dW"] == [[4, 6]]


@pytest.mark.parametrize("line", ["--pad 1 --stride 2", "-p 1 -s 2", "--padding 1 -s 2", "-p1 -s2"])
def test_padding_and_stride_have_short_names(convgrad: Convgrad, line: str) -> None:
    start = "convgrad conv-forward '[[1,2],[3,4]]' -k '[[1]]'"
    assert json.loads(convgrad(f"{start} {line}").out) == {"output": [[0, 0], [0, 4]]}
    assert "--padding" in convgrad(f"{start} --pad x2").err


def test_a_document_may_say_pad_and_keep_settings_in_hparameters(convgrad: Convgrad) -> None:
    held = '{"input": [[1,2],[3,4]], "kernel": [[1]], %s}'
    for settings in ('"pad": 1, "stride": 2', '"hparameters": {"pad": 1, "stride": 2}'):
        ran = convgrad(f"convgrad conv-forward '{held % settings}'")
        assert json.loads(ran.out) == {"output": [[0, 0], [0, 4]]}
    twice = convgrad("convgrad conv-forward '" + held % '"pad": 1, "padding": 2' + "'")
    assert twice.code == 2 and "padding stands there twice, written differently" in twice.err
    twice = convgrad("convgrad conv-forward '" + held % '"stride": 1, "hparameters": {"stride": 2}' + "'")
    assert twice.code == 2 and "stride stands there twice" in twice.err
