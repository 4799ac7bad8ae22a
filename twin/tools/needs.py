"""What a command builds before it begins. Whatever else is needed is built when it is first needed: see ensure_tools."""

from __future__ import annotations

from twin.tools.catalogue import FILES, PROGRAMS

# make twin-up and make demo, account up, make rehearse, make tools; CONTROL_PLANE is what an EKS cluster of an account needs at least.
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok", "kwokctl", "kwok-stages")
MAIN_JOB = (*CONTROL_PLANE, "helm", "pilot-discovery", "gateway-api", "istio")
REHEARSAL = (*MAIN_JOB, "aws-load-balancer-controller", "load-balancer-controller", "karpenter")
EVERYTHING = (*(program.name for program in PROGRAMS), *(files.name for files in FILES))
