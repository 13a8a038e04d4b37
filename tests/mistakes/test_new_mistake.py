"""A new mistake is one row of the catalogue: tried in a copy of the tree."""

import json
from pathlib import Path

from houses import House

ROW = """    R(
        "kernel-squared",
        "output dX",
        "conv",
        "The kernel was squared.",
        "For a test.",
        "Take the kernel as it is.",
        change=kernels(lambda kernel, d: iter([kernel**2])),
    ),
    R(
        "input-transposed",
"""


def test_a_new_mistake_is_one_row(tmp_path: Path) -> None:
    house = House.copied(tmp_path)
    house.change("mistakes/rows/kernels.py", '    R(\n        "input-transposed",\n', ROW)
    assert house.touched() == ["mistakes/rows/kernels.py"]

    names = [row["name"] for row in json.loads(house.run("convgrad mistakes --format json").stdout)]
    assert "kernel-squared" in names
    told = json.loads(house.run("convgrad mistakes kernel-squared --format json").stdout)
    assert told["mend"] == "Take the kernel as it is." and told["example"]["right"] != told["example"]["wrong"]
    line = "convgrad conv-forward '[[1,2,7],[3,4,1],[5,1,2]]' -k '[[1,2],[3,5]]' --check"
    squared = json.loads(house.run("convgrad conv-forward '[[1,2,7],[3,4,1],[5,1,2]]' -k '[[1,4],[9,25]]'").stdout)
    checked = json.loads(house.run(f"{line} -", json.dumps(squared), code=1).stdout)
    assert [each["name"] for each in checked["answers"]["output"]["mistakes"]] == ["kernel-squared"]
