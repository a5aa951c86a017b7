"""The kinds of app that people are provisioned into: one folder each, and the registry that lists them."""
