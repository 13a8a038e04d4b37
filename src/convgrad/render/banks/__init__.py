"""Question banks: exercises for learning platforms, which name mistakes by themselves."""
