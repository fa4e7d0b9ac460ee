"""Alerts: rules of one file, and what becomes of the stories that they are about."""
