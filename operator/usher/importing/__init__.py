"""From the exported job schema of the reference service to AttributeMappings, and to a list of what stays behind.

A layer of its own, above `assembly`: it speaks the language of the custom resources (`api`) and that of expressions
(`core`), siblings that know nothing of each other, and lets `assembly` judge what it wrote, so that nothing is written
which `usher validate` would refuse. Nothing above it but the command line needs it, and nothing in a cycle. It is pure:
bytes in, manifests and notes out; nothing of an export is run.

Every field of an export that says something is carried over or in a note: `records` counts what was read.
"""
