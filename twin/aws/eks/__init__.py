"""The EKS API of the local AWS, as Amazon's API reference and botocore's service model describe it."""
