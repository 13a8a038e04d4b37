"""What people may say about each kind of layer, without numpy."""
