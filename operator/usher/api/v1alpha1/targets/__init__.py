"""One module a kind of target: a member of the union `spec.target` of a connector."""
