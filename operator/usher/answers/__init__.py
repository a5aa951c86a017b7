"""What the state answers to people: the same whether the command line reads a file or the operator is asked.

Each answer is a model, made here from the state, and shown by the command line. On its way from the operator it is
JSON. Answers name people.
"""
