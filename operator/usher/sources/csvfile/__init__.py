"""The source kind `csv`: one document with a header row, one row a person.

`records` cuts bytes into rows (RFC 4180), `rows` turns rows into resources, `reader` is the source's live half.
Every column is an attribute of its own name; the reference's names (`userPrincipalName`, `mail`, `manager`, ...) are
what a column should be called if it means that.
"""
