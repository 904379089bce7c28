"""Sets up, runs and tests the addon; the Makefile names the commands."""
