"""How each command of the documentation is tried: in a test of its own, by another test, or not at all, with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Commands that run one after the other in one shell.

    Attributes:
        commands: as they stand in the pages.
        code: the exit code that the page tells of.
        shows: what the output must have.
        ends: the last line of the output, if that matters.
        needs: a program that this machine may lack, without which the step is skipped.
        unchanged: whether no playbook may change anything.
    """

    commands: tuple[str, ...]
    code: int = 0
    shows: str = ""
    ends: str = ""
    needs: str = ""
    unchanged: bool = False


_ENVIRONMENT = (". .venv/bin/activate", 'eval "$(make -s twin-env)"')
_CLUSTERS = "python -c \"import boto3; print(boto3.client('eks').list_clusters()['clusters'])\""

# In a copy of the checkout, without a twin.
ALONE = (
    Step(("make build", "cd ~ && ansible-galaxy collection install /path/to/the/checkout/.cache/build/meshwright-ambient-0.1.0.tar.gz")),
    Step(("ansible-doc meshwright.ambient.ready",), shows="RETURN VALUES"),
    Step(("ansible-doc -t role meshwright.ambient.mesh",), shows="mesh_namespaces"),
    Step((".venv/bin/python -m tests yamllint",), shows="stages: 1 passed, 0 failed"),
    Step(("make requirements",), code=2, shows="No test has been run"),
    Step(
        (
            "cp -r inventories/prod inventories/mine",
            "mv inventories/mine/host_vars/prod-frankfurt.yml inventories/mine/host_vars/shop-dublin.yml",
        )
    ),
)

# On the twin with a mesh, in this order, which leaves it as it was.
ON_MESH = (
    Step((*_ENVIRONMENT, "kubectl get nodes", "istioctl waypoint list -A"), shows="waypoint"),
    Step(("helm get values istiod -n istio-system", "helm get values istiod -n istio-system --all"), shows="profile: ambient"),
    Step(("ansible-playbook site.yml -i inventories/sandbox --check --diff",), unchanged=True),
    Step(("ansible-playbook site.yml -i inventories/sandbox --tags mesh --limit sandbox --check --diff",), unchanged=True),
    Step(("ansible-playbook site.yml -i inventories/sandbox --tags mesh --diff -e mesh_detach=true",), unchanged=True),
    Step(("ansible-playbook site.yml -i inventories/sandbox --tags mesh -e mesh_force_conflicts=true",), unchanged=True),
    Step(("ansible-playbook site.yml -i inventories/sandbox --tags gateway_api --check --diff -e gateway_api_upgrade=true",), unchanged=True),
    Step(("ansible-playbook site.yml -i inventories/sandbox --tags gateway_api -e gateway_api_upgrade=true",), unchanged=True),
    Step(
        (
            "kubectl create serviceaccount mesh-operator -n default",
            "kubectl create clusterrolebinding mesh-operator --clusterrole=mesh-operator --serviceaccount=default:mesh-operator",
            "kubectl config view --raw --minify --flatten >operator.kubeconfig",
            'kubectl --kubeconfig operator.kubeconfig config set-credentials operator --token="$(kubectl create token mesh-operator -n default)"',
            "kubectl --kubeconfig operator.kubeconfig config set-context --current --user=operator",
            "kubectl --kubeconfig operator.kubeconfig config delete-user \"$(kubectl config view --minify -o jsonpath='{.users[0].name}')\"",
            'ansible-playbook verify.yml -i inventories/sandbox -e cluster_kubeconfig="$PWD/operator.kubeconfig"',
        ),
        shows="failed=0",
    ),
    Step(
        (
            "make build",
            "checkout=$PWD",
            'cd "$(mktemp -d)"',
            'ansible-galaxy collection install "$checkout"/.cache/build/meshwright-ambient-0.1.0.tar.gz',
            'ansible-playbook meshwright.ambient.site -i "$checkout"/inventories/sandbox',
            'ansible-playbook meshwright.ambient.verify -i "$checkout"/inventories/sandbox',
        ),
        unchanged=True,
    ),
    Step(("make demo",), shows="Proof"),
    Step(("make twin-up",), shows="is up"),
    Step(("python -m twin process stop istiod",)),
    Step(("ansible-playbook verify.yml -i inventories/sandbox",), code=2, shows="istiod"),
    Step(("python -m twin process start istiod",)),
    # This one waits until istiod is ready again.
    Step(("ansible-playbook site.yml -i inventories/sandbox",), unchanged=True),
    Step(("ansible-playbook verify.yml -i inventories/sandbox",), shows="failed=0"),
)

# In the account in which inventories/prod has been rehearsed.
IN_ACCOUNT = (
    Step(("export TWIN=prod", *_ENVIRONMENT, "kubectl get nodes", _CLUSTERS), shows="['prod-frankfurt']"),
    Step((*_ENVIRONMENT, "kubectl get gateways,ingresses -A"), shows="gateway.gateway.networking.k8s.io/"),
    Step((". .venv/bin/activate", "python -m twin account up", 'eval "$(make -s twin-env)"')),
    Step(('ansible localhost -m amazon.aws.aws_caller_info -e ansible_python_interpreter="$(command -v python)"',), shows="123456789012"),
    Step(
        (
            "export AWS_ENDPOINT_URL=http://127.0.0.1:5555 AWS_REGION=eu-central-1",
            "export AWS_ACCESS_KEY_ID=AKIAOWNEROFTHEACCNT0 AWS_SECRET_ACCESS_KEY=anything",
            _CLUSTERS,
        ),
        shows="['prod-frankfurt']",
    ),
    Step(
        (
            'curl -X POST http://127.0.0.1:5555/_twin/faults -d \'{"service": "eks", "operation": "DescribeCluster", "error": "throttled", "times": 2}\'',
            'curl -X POST http://127.0.0.1:5555/_twin/faults -d \'{"access_key": "AKIAOWNEROFTHEACCNT0", "error": "expired", "skip": 20}\'',
            "curl -X DELETE http://127.0.0.1:5555/_twin/faults",
        ),
        # Each answer lists the faults in force: the first command's has this one, the last one's has none.
        shows='"error": "throttled"',
        ends="[]",
        needs="curl",
    ),
)

# Commands that are a part of one that runs, which has more options: each would only cost its time.
INCLUDED = {
    "ansible-playbook site.yml -i inventories/sandbox --tags mesh --check --diff": (
        "ansible-playbook site.yml -i inventories/sandbox --tags mesh --limit sandbox --check --diff"
    ),
    "ansible-playbook site.yml -i inventories/sandbox --tags mesh": "ansible-playbook site.yml -i inventories/sandbox --tags mesh --diff -e mesh_detach=true",
    "ansible-playbook site.yml -i inventories/sandbox --tags mesh --diff": (
        "ansible-playbook site.yml -i inventories/sandbox --tags mesh --diff -e mesh_detach=true"
    ),
}

# What another test runs, under another name or with other paths: these commands create or delete whole twins and accounts, or run for minutes. As steps of
# their own they would take longer than all others together, and delete the twin on which the others run.
ELSEWHERE = {
    "make rehearse INVENTORY=inventories/prod": "tests/twin/playbooks/test_rehearsal.py::test_a_second_rehearsal_changes_nothing_and_shows_what_exists",
    'make rehearse INVENTORY=inventories/prod ARGUMENTS="--check --diff"': "tests/twin/playbooks/test_rehearsal.py::test_a_check_from_nothing_only_reads",
    "make soak MINUTES=5 SEED=7": "tests/twin/mesh/test_soak.py::test_ready_disagrees_with_no_object_while_everything_changes",
    ".venv/bin/python -m tests.soak --twin sandbox --minutes 5": ("tests/twin/mesh/test_soak.py::test_ready_disagrees_with_no_object_while_everything_changes"),
    "TWIN=docs make twin-up": "tests/twin/test_lifecycle.py::test_up_on_a_running_twin_does_nothing",
    'eval "$(TWIN=docs make -s twin-env)"': "tests/twin/playbooks/test_rehearsal.py::test_the_shell_is_pointed_at_account_and_cluster",
    "make twin-down": "tests/twin/test_lifecycle.py::test_down_leaves_nothing_behind",
    "TWIN=docs make twin-down": "tests/twin/test_lifecycle.py::test_down_leaves_nothing_behind",
    ".venv/bin/python -m twin --name mine rehearse inventories/prod": "tests/twin/conftest.py::prod",
    ".venv/bin/python -m twin --name mine down": "tests/twin/aws/test_account.py::test_down_leaves_nothing_behind",
    "terraform output -json >inventories/terraform-prod.json": (
        "tests/unit/docs/test_pages_tell.py::test_outputs_of_terraform_become_variables_by_the_template_that_is_shown"
    ),
}

_WHOLE = "it is what runs all tests, of which this is one"
_OWN = "it needs an AWS account or a cluster of the reader's"
_PULLED = "it needs the internet; make test uses charts of Go's module proxy"
_KARPENTER = "it is about an inventory to which the page adds Karpenter, which tests/twin/playbooks/test_variants.py runs"

NOT_RUN = {
    "make test": _WHOLE,
    ".venv/bin/pytest tests/twin/faults": _WHOLE,
    "MESHWRIGHT_PROD_ACCOUNT=mine .venv/bin/pytest tests/twin/playbooks/test_removal.py": _WHOLE,
    "unset TWIN": "it ends what a terminal has set",
    "export AWS_PROFILE=platform": _OWN,
    "make rehearse INVENTORY=inventories/mine": "the reader has changed this copy of inventories/prod, whose rehearsal is tried",
    'make rehearse INVENTORY=inventories/prod ARGUMENTS="-e eks_version=1.36 --tags eks"': (
        "it upgrades the account, which other tests use; tests/integration/targets/eks_cluster upgrades one"
    ),
    "ansible-playbook site.yml -i inventories/prod --check --diff": _OWN,
    "ansible-playbook site.yml -i inventories/mine --check --diff": _OWN,
    "ansible-playbook site.yml -i inventories/mine": _OWN,
    "ansible-playbook verify.yml -i inventories/mine": _OWN,
    "ansible-playbook site.yml -i inventories/there --check --diff": _OWN,
    "ansible-playbook site.yml -i inventories/there": _OWN,
    "ansible-playbook verify.yml -i inventories/there": _OWN,
    "ansible-playbook meshwright.ambient.site -i inventory.yml --check --diff": _OWN,
    "ansible-playbook meshwright.ambient.site -i inventory.yml": _OWN,
    **{
        f"helm pull {chart} --repo https://istio-release.storage.googleapis.com/charts --version 1.31.1 --destination /srv/mirror/istio": _PULLED
        for chart in ("base", "istiod", "cni", "ztunnel")
    },
    "kubectl get nodepool arm -o yaml": _KARPENTER,
    "ansible-playbook site.yml -i inventories/prod --tags karpenter --check --diff": _KARPENTER,
    "ansible-playbook site.yml -i inventories/prod --tags karpenter": _KARPENTER,
    "ansible-playbook verify.yml -i inventories/prod --tags karpenter": _KARPENTER,
}


def commands_that_run() -> set[str]:
    """All commands that a step runs."""
    return {command for steps in (ALONE, ON_MESH, IN_ACCOUNT) for step in steps for command in step.commands}
