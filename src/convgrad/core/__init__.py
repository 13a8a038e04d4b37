"""Numbers, geometry and quantities: no layer, no file."""
