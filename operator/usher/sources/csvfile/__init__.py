"""The source kind `csv`: a document with a header row, one row a person, and maybe one of groups.

`records` cuts bytes into rows (RFC 4180), `rows` and `groups` turn rows into resources, `reader` is the source's live
half.
Every column is an attribute of its own name; the reference's names (`userPrincipalName`, `mail`, `manager`, ...) are
what a column should be called if it means that.
"""
