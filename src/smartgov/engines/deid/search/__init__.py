"""How levels are found: the optimal full-domain search, and Mondrian, which recodes locally."""
