"""What a person sees in a terminal: the table of stories, their members, the stream of changes, an explanation.

Invariant: texts of feeds reach the screen only through `harmless`, and colour never says what words or signs do not.
"""
