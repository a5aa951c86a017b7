"""The operator: the only place that knows kopf and Kubernetes."""
