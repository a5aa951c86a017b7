"""The nouns of a cycle: what is (`resources`), what will be done and what came of it (`plans`, `reports`)."""
