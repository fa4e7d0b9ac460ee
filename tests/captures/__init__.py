"""Captures of feeds as they were served over time, and what they show."""
