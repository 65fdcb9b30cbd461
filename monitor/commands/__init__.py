"""The commands, one file each: plain functions that return an exit status. `cli.py` gives them their options."""
