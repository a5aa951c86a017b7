"""One module a kind of source: a member of the union in the spec of an IdentitySource."""
