"""The way to an end: which addresses may be reached, one HTTP client, authorization, and silence about URLs."""
