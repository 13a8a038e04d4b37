"""Problems: a layer with its arrays, built and validated from what files and options say; and their solution.

Ranks are lifted on the way in (ranks.py), and shapes that do not fit are explained in the reader's own terms (build.py
and a file for each kind that has more to say); inside the layers everything has full rank.
"""

from convgrad.core.operand import Operand
from convgrad.problems.problem import Operands, Problem, Settings, Solution, Solver

__all__ = ["Operand", "Operands", "Problem", "Settings", "Solution", "Solver"]
