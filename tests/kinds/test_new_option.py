"""A new option of a layer is its row of the kind and what uses it: tried in a copy of the tree."""

import json
from pathlib import Path

from houses import House

ROW = """        DILATION,
        Setting("gain", number, "What the kernel is multiplied by; 1 unless given.", "X", default=1.0),
"""


def test_a_new_option_is_its_row_and_the_lines_that_use_it(tmp_path: Path) -> None:
    house = House.copied(tmp_path)
    house.change("kinds/conv.py", "        DILATION,\n", ROW)
    house.change("kinds/conv.py", "import PAD_MODES, Setting, choice,", "import PAD_MODES, Setting, choice, number,")
    house.change("layers/conv.py", "    groups: int = 1\n", "    groups: int = 1\n    gain: float = 1.0\n")
    house.change(
        "layers/conv.py",
        'Part("kernel", "FI*", self.kernel)',
        'Part("kernel", "FI*", None if self.kernel is None else self.gain * self.kernel)',
    )
    assert house.touched() == ["kinds/conv.py", "layers/conv.py"]

    line = "convgrad conv-forward '[1,2,3]' -k '[1,2]'"
    assert json.loads(house.run(f"{line} --gain 2").stdout)["output"] == [10, 16]
    document = '{"input": [1,2,3], "kernel": [1,2], "gain": 3}'
    assert json.loads(house.run("convgrad conv-forward -", document).stdout)["output"] == [15, 24]
    assert "--gain X" in house.run("convgrad conv-forward --help").stdout
    assert house.run(f"{line} --gian 2", code=2).stderr == "Error: there is no option --gian. Did you mean '--gain'?\n"
    assert house.run(f"{line} --gain 2 --format table").stdout.startswith("convolution, gain 2\n")
    network = '{"layers": [{"type": "conv", "kernel": [1, 2], "gain": 2}]}'
    assert json.loads(house.run("convgrad backprop - '[1,2,3]' '[0,0]'", network).stdout)["output"] == [10, 16]
    assert json.loads(house.run(f"{line} --gain 2 --check '[10, 16]'").stdout)["verdict"] == "right"
