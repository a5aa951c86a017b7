"""The source kind `ldap`: the people and groups of a directory.

`reader` is the source's live half, `marks` its watermarks, `entries` turns an entry into a resource, `names` says which
attribute of a directory is which of the reference's names, `schema` what else the directory could have told.
"""
