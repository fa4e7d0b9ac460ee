"""The only package that issues Redis commands: keys, scripts, and one typed object a group of keys."""
