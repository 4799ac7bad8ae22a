"""What exists in an AWS account, shown as a tree."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from rich.tree import Tree

from twin.commands.resources import Object, Resources


def tree_of(title: str, resources: Resources) -> Tree:
    """The tree; nothing but the resources decides what is in it."""
    root = Tree(_line(title))
    shown: set[str] = set()
    for vpc in resources.vpcs:
        shown |= _add_vpc(root, vpc, resources)
    unused = [group for arn, group in sorted(resources.target_groups.items()) if arn not in shown]
    if unused:
        branch = root.add("Target groups of no load balancer")
        for group in unused:
            _add_target_group(branch, group, "")
    if resources.certificates:
        branch = root.add("Certificates")
        for certificate in resources.certificates:
            others = [name for name in certificate.get("SubjectAlternativeNames", ()) if name != certificate["DomainName"]]
            branch.add(_line(certificate["DomainName"], *others, _last(certificate["CertificateArn"]), state=certificate["Status"]))
    for what, names in resources.names.items():
        if names:
            branch = root.add(what)
            for name in names:
                branch.add(_line(name))
    if not root.children:
        root.add("nothing")
    return root


def _add_vpc(root: Tree, vpc: Object, resources: Resources) -> set[str]:
    """Add a VPC with all that is in it; returns the target groups that were shown."""
    branch = root.add(_line(f"VPC {_named(vpc, vpc['VpcId'])}", vpc["CidrBlock"]))
    for subnet in vpc["Subnets"]:
        branch.add(_line(f"Subnet {_named(subnet, subnet['SubnetId'])}", subnet["AvailabilityZone"], subnet["CidrBlock"], _subnet_role(subnet)))
    for cluster in resources.clusters:
        if cluster["resourcesVpcConfig"]["vpcId"] == vpc["VpcId"]:
            _add_cluster(branch, cluster)
    shown: set[str] = set()
    domains = {certificate["CertificateArn"]: certificate["DomainName"] for certificate in resources.certificates}
    for balancer in resources.load_balancers:
        if balancer["VpcId"] == vpc["VpcId"]:
            shown |= _add_load_balancer(branch, balancer, resources.target_groups, domains)
    return shown


def _add_cluster(parent: Tree, cluster: Object) -> None:
    branch = parent.add(_line(f"EKS cluster {cluster['name']}", cluster["version"], cluster.get("endpoint") or "", state=cluster["status"]))
    _add_issues(branch, cluster)
    for group in cluster["nodegroups"]:
        scaling, kinds = group["scalingConfig"], ", ".join(group.get("instanceTypes") or ())
        size = f"{scaling['desiredSize']} x {kinds} ({scaling['minSize']} to {scaling['maxSize']})"
        taints = [f"taint {taint['key']}" for taint in group.get("taints") or ()]
        _add_issues(branch.add(_line(f"Node group {group['nodegroupName']}", group.get("version") or "", size, *taints, state=group["status"])), group)
    for addon in cluster["addons"]:
        _add_issues(branch.add(_line(f"Add-on {addon['addonName']}", addon["addonVersion"], state=addon["status"])), addon)
    for entry in cluster["access"]:
        policies = [_policy(each) for each in entry["policies"]]
        branch.add(_line(f"Access entry {entry['principalArn'].rpartition(':')[2]}", *policies))
    for identity in sorted(cluster["identities"], key=lambda each: (each["namespace"], each["serviceAccount"])):
        branch.add(_line(f"Pod identity {identity['namespace']}/{identity['serviceAccount']}", f"role {_last(identity['roleArn'])}"))


def _add_issues(branch: Tree, owner: Object) -> None:
    for issue in (owner.get("health") or {}).get("issues") or ():
        branch.add(Text(f"{issue['code']}: {issue['message']}", style="red"))


def _policy(association: Object) -> str:
    namespaces = association["accessScope"].get("namespaces") or []
    return _last(association["policyArn"]) + (f" in {', '.join(namespaces)}" if namespaces else "")


def _add_load_balancer(parent: Tree, balancer: Object, groups: dict[str, Object], domains: dict[str, str]) -> set[str]:
    """Add a load balancer; returns the target groups that were shown."""
    kind = {"application": "ALB", "network": "NLB"}.get(balancer["Type"], balancer["Type"])
    guards = [f"WAF {balancer['WebAcl']}"] if balancer["WebAcl"] else []
    guards += ["Shield Advanced"] if balancer["Shield"] else []
    details = [balancer.get("Scheme") or "", *guards, balancer["DNSName"]]
    branch = parent.add(_line(f"{kind} {balancer['LoadBalancerName']}", *details, state=balancer["State"]["Code"]))
    shown: set[str] = set()
    for listener in balancer["Listeners"]:
        arns = [each["CertificateArn"] for each in listener.get("Certificates") or ()]
        certificates = [f"certificate {domains.get(arn) or _last(arn)}" for arn in arns]
        policy = [listener["SslPolicy"]] if listener.get("SslPolicy") else []
        place = branch.add(_line(f"Listener {listener['Port']} {listener['Protocol']}", *policy, *certificates))
        shown |= _add_actions(place, "default", listener["DefaultActions"], groups)
        for rule in sorted(listener["Rules"], key=_priority):
            if not rule.get("IsDefault"):
                shown |= _add_actions(place, f"rule {rule['Priority']}: {_conditions(rule)}", rule["Actions"], groups)
    return shown


def _add_actions(parent: Tree, when: str, actions: list[Object], groups: dict[str, Object]) -> set[str]:
    shown: set[str] = set()
    for action in actions:
        if action["Type"] != "forward":
            parent.add(_line(f"{when} -> {_plain_action(action)}"))
            continue
        targets = [(each["TargetGroupArn"], each.get("Weight")) for each in (action.get("ForwardConfig") or {}).get("TargetGroups") or ()]
        for arn, weight in targets or [(action["TargetGroupArn"], None)]:
            share = f" (weight {weight})" if len(targets) > 1 else ""
            if arn in groups:
                _add_target_group(parent, groups[arn], f"{when}{share} -> ")
            else:
                parent.add(Text(f"{when}{share} -> {_last(arn)}, which does not exist", style="red"))
            shown.add(arn)
    return shown


def _add_target_group(parent: Tree, group: Object, before: str) -> None:
    check = f"{group['HealthCheckProtocol']} {group['HealthCheckPort']}{group.get('HealthCheckPath') or ''}"
    healthy = sum(target["TargetHealth"]["State"] == "healthy" for target in group["Targets"])
    count = f"{healthy} of {len(group['Targets'])} healthy"
    good = bool(group["Targets"]) and healthy == len(group["Targets"])
    line = _line(f"{before}target group {group['TargetGroupName']}", group["TargetType"], f"{group['Protocol']} {group['Port']}", f"health check {check}")
    branch = parent.add(line.append(f", {count}", style="green" if good else "yellow"))
    for target in group["Targets"]:
        health = target["TargetHealth"]
        if health["State"] != "healthy":
            reason = health.get("Description") or health.get("Reason") or ""
            branch.add(_line(f"{target['Target']['Id']}:{target['Target'].get('Port', '')}", reason, state=health["State"]))


def _plain_action(action: Object) -> str:
    if action["Type"] == "redirect":
        config = action["RedirectConfig"]
        return f"redirect to {config.get('Protocol', '')} {config.get('Port', '')} ({config.get('StatusCode', '')})"
    if action["Type"] == "fixed-response":
        return f"fixed response {action['FixedResponseConfig']['StatusCode']}"
    return str(action["Type"])


def _conditions(rule: Object) -> str:
    parts = []
    for condition in rule["Conditions"]:
        config = next((value for name, value in condition.items() if name.endswith("Config") and isinstance(value, dict)), {})
        values = config.get("Values") or condition.get("Values") or []
        parts.append(f"{condition['Field']} {', '.join(str(value) for value in values)}".strip())
    return " and ".join(parts) or "always"


def _priority(rule: Object) -> int:
    return int(rule["Priority"]) if str(rule["Priority"]).isdigit() else 1_000_000


def _subnet_role(subnet: Object) -> str:
    tags = _tags(subnet)
    if "kubernetes.io/role/elb" in tags:
        return "for public load balancers"
    return "for internal load balancers" if "kubernetes.io/role/internal-elb" in tags else ""


def _tags(item: Object) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags") or ()}


def _named(item: Object, identity: str) -> str:
    name = _tags(item).get("Name")
    return f"{name} ({identity})" if name else identity


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]


_GOOD = frozenset({"ACTIVE", "active", "ISSUED", "healthy"})


def _line(what: str, *details: str, state: str = "") -> Text:
    """What it is, in bold, then details; last its state, coloured by whether it is good."""
    line = Text(what, style="bold")
    for detail in _filled(details):
        line.append(f", {detail}", style="not bold")
    if state:
        line.append(f", {state}", style="not bold green" if state in _GOOD else "not bold yellow")
    return line


def _filled(details: Iterable[str]) -> list[str]:
    return [detail for detail in details if detail]
