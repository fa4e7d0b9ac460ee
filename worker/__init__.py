"""Storywire: a streaming news ingestion worker that clusters articles into stories as they arrive."""
