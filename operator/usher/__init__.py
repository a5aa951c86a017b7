"""Usher provisions people into apps: a Kubernetes operator and a command line over one engine."""
