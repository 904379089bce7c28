"""Sets up, runs and tests the addon: `python3 -m devtools --help`."""
