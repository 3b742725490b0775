"""The agency's side: case, work list, decision."""
