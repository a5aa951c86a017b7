"""Version v1alpha1. A field is in these models from the day on which it acts, never before."""
