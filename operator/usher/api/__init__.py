"""What users write and read: the custom resources, their schemas, their conditions."""
