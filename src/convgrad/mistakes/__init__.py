"""The mistakes people make: a catalogue of predictions, by families, and its recogniser."""
