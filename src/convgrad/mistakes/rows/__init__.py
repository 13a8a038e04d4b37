"""The rows of the catalogue, in tables: each a family, or a part of one."""
