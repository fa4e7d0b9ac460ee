"""Every metric, named once, with its meaning and what to do about it."""
