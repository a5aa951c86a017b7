"""The mapping language: `grammar` reads text into the tree of `syntax`, `compile` turns the tree into closures.

`functions` holds what can be called, `values` how values become text and numbers, `explain` tells one evaluation
step by step.
"""
