"""Feeds, as pure functions: bytes to entries, entries and seen marks to articles, OPML to addresses and back.

Invariant: nothing here reads a clock, a file, a setting or the net. (This file stays empty: feedparser takes a while to
import, and few need it.)
"""
