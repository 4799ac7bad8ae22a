"""A local AWS: moto's server, extended where it lacks or differs from what an EKS cluster with load balancers needs."""
