"""Which state of the register a request means, and the pages of lists over it."""
