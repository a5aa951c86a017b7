"""The way to a directory: python-ldap's messages over a connection that is checked and encrypted by us.

libldap would resolve names by itself, and verify certificates as its build and the machine's ldap.conf have it. It gets
one end of a socket pair instead; `relay` carries the bytes between the other end and the directory.
"""
