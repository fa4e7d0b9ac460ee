"""Processes that read what strangers wrote, each apart, with an end to their memory and their time.

Invariant: input that hangs or kills such a process fails alone; the next input gets a fresh one. `pool` is their
outside, `serve` their inside.
"""
