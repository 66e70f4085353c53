"""The command cab: the register from a terminal."""
