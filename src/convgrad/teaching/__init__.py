"""For teachers: problems drawn on which mistakes show."""
