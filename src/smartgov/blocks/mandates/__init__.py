"""Acting for others: mandates by law and by a person's word, their evidence, scope and end."""
