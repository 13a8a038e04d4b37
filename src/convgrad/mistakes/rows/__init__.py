"""The rows of the catalogue, a table a family or a subject."""
