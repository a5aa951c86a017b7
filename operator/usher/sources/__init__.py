"""Where people are read from: one folder for each kind of source, and the registry of kinds."""
