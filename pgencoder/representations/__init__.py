"""The representations of a passage: how each is stored, indexed, recalled and scored."""
