"""What `deploy/` holds, tried as far as a machine without its engines allows."""
