"""The reporting use case: what the store holds, as values that a screen, a page or a program shows.

`listing` ranks the stories of a span, `following` turns the event stream into changes, `comparison` says why two
articles are, or are not, one story. Invariant: reads only; what expired between two reads is left out, never an error.
"""
