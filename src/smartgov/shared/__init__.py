"""The small kernel: clock, ids, actor, problems, money, settings and the types of Taiwan."""
