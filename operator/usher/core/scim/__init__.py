"""SCIM without sockets: paths, schemas, filters, patches, requests, answers and paging of RFC 7643 and RFC 7644."""
