"""Money out: instructions, batches, results."""
