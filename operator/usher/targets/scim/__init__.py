"""SCIM 2.0 apps: `core.scim` says what is sent and what an answer means, this only sends."""
