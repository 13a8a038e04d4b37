"""What may be said of an exercise that is drawn, whatever its kind of layer."""

RANGES = {"integers": (-3, 3), "decimals": (-1, 1), "fractions": (-2, 2)}
"""The sorts of numbers that problems are made of, and from where to where they go unless it is said."""

DENOMINATORS = {"integers": (1,), "decimals": (10,), "fractions": (1, 2, 3, 4)}
"""What whole numbers are divided by to make those of a sort."""

SAID = ("ask", "digits", "numbers")
"""Entries by which a document says what is asked of it: the results, to how many digits, in which sort of numbers."""

DIGITS = 4
"""Significant digits that a number asked for has at most, unless it is said."""

MEANING = {
    "output": "what comes out",
    "dX": "the gradient of the input",
    "z": "what goes into the activation",
    "derivative": "the derivative of the activation",
    "sensitivity": "the delta through the activation",
    "indices": "where each maximum lies",
    "loss": "the loss",
    "delta": "the gradient of the output",
}
"""What a result is, in words; those of parameters are named by these."""
