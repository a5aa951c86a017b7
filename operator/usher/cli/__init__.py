"""The command line: one file a command. What it prints is for the user's own terminal, and may name people."""
