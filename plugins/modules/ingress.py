#!/usr/bin/python
# Copyright: the meshwright.ambient contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ingress
short_description: Declare gateways, load balancers and routes at the edge of a mesh
version_added: 0.1.0
description:
  - Declares any number of gateways, load balancers in front of them, and routes behind them, in one task.
  - What already is as wished is not written. Objects are written by server-side apply.
  - What would never work is refused before the first write, all of it at once. This is found out from the options and from the cluster. What only AWS
    knows, such as whether a subnet exists, is looked at by M(meshwright.ambient.load_balancer_check).
  - With O(wait=true), it ends when gateways are programmed and load balancers have their addresses, and within seconds when the load balancer
    controller refuses, in the controller's own words. It needs to list and watch events for that.
author:
  - The meshwright.ambient contributors (@meshwright)
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - meshwright.ambient._attributes
  - meshwright.ambient._progress
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  gateways:
    description: Gateways of class C(istio). istiod makes a Deployment and a Service for each, both called like the Gateway with
      C(-istio) added.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      create_namespace:
        description: Make the namespace when it is not there. It is never deleted.
        type: bool
        default: true
      state:
        description: Whether it should be there.
        type: str
        choices: [present, absent]
        default: present
      load_balancer:
        description:
          - What stands in front. V(nlb) makes its Service a Network Load Balancer of the AWS Load Balancer Controller, V(alb) says
            that an item of O(albs) does, V(none) that nothing of AWS does.
          - It decides the type of the Service from the start, so that no load balancer is made that nobody wants.
        type: str
        choices: [none, nlb, alb]
        default: none
      service_type:
        description: The type of its Service, where it should not be the fitting one. Not given, it is C(LoadBalancer) with V(nlb),
          C(NodePort) when an ALB has target type V(instance), else C(ClusterIP).
        type: str
        choices: [ClusterIP, NodePort, LoadBalancer]
      hosts:
        description:
          - The hosts of its listeners, for each one at port 80, and with O(gateways[].tls) one at port 443. None means every host.
          - A wildcard does not cover the domain itself.
        type: list
        elements: str
        default: []
      tls:
        description: Where TLS ends. V(load_balancer) lets port 443 speak HTTP, because TLS has ended before; V(gateway) makes it
          HTTPS with O(gateways[].certificate_refs). Behind an ALB leave it V(none).
        type: str
        choices: [none, load_balancer, gateway]
        default: none
      certificate_refs:
        description: The Secrets of the certificates, with O(gateways[].tls=gateway).
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name of the Secret.
            type: str
            required: true
          namespace:
            description: Its namespace, when it is another one. It then needs a ReferenceGrant.
            type: str
      redirect_http:
        description:
          - Redirect port 80 to HTTPS by an HTTPRoute. Routes of O(routes) then attach to the listeners of port 443 unless they name others.
          - Port 80 then takes routes of the gateway's own namespace alone, whatever O(gateways[].allowed_routes) says, so that nobody serves in plain.
            Listeners of O(gateways[].listeners) keep their own word.
        type: bool
        default: false
      allowed_routes:
        description: The namespaces whose routes may attach to its listeners.
        type: dict
        suboptions:
          from:
            description: V(Same) is its own namespace, V(All) every one, V(Selector) those that the selector chooses.
            type: str
            choices: [Same, All, Selector]
            default: Same
          selector:
            description: A LabelSelector of namespaces. Not given, it is the label C(shared-gateway-access=true).
            type: dict
      route_namespaces:
        description: Namespaces that get the labels of that selector.
        type: list
        elements: str
        default: []
      listeners:
        description: The listeners in full, in place of those of O(gateways[].hosts) and O(gateways[].tls).
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Its name.
            type: str
            required: true
          port:
            description: Its port.
            type: int
            required: true
          protocol:
            description: Its protocol.
            type: str
            choices: [HTTP, HTTPS, TCP, TLS]
            default: HTTP
          hostname:
            description: Its host. Not given, it is every one.
            type: str
          certificate_refs:
            description: The Secrets of its certificates.
            type: list
            elements: dict
            default: []
            suboptions:
              name:
                description: The name of the Secret.
                type: str
                required: true
              namespace:
                description: Its namespace, when it is another one. It then needs a ReferenceGrant.
                type: str
          tls_mode:
            description: Whether TLS ends here. Not given, it does where there are certificates.
            type: str
            choices: [Terminate, Passthrough]
          allowed_routes:
            description: The namespaces whose routes may attach to it. Not given, those of the gateway.
            type: dict
            suboptions:
              from:
                description: V(Same) is its own namespace, V(All) every one, V(Selector) those that the selector chooses.
                type: str
                choices: [Same, All, Selector]
                default: Same
              selector:
                description: A LabelSelector of namespaces. Not given, it is the label C(shared-gateway-access=true).
                type: dict
      revision:
        description: The revision of istiod that owns it. Not given, its namespace's or the default one does.
        type: str
      labels:
        description: Labels of all that istiod makes for it.
        type: dict
        default: {}
      annotations:
        description: Annotations of all that istiod makes for it. A Gateway takes at most 8, those of its load balancer included.
        type: dict
        default: {}
      replicas:
        description: How many pods it has. Not given, it is one.
        type: int
      trusted_proxies:
        description: How many proxies in front are believed about the client's address (C(X-Forwarded-For)). Not given, it is 1 behind
          an ALB, and none otherwise. V(0) is none.
        type: int
      drain_seconds:
        description: For how long a pod that ends still answers. Not given, it is 30 behind a load balancer; V(0) leaves it to Istio.
          It must not be shorter than the deregistration delay.
        type: int
      overlays:
        description: Strategic merge patches for what no other option covers, merged last, as of O(meshwright.ambient.waypoint#module:waypoints[].overlays).
        type: dict
        default: {}
      nlb:
        description: The Network Load Balancer, with O(gateways[].load_balancer=nlb).
        type: dict
        suboptions:
          name:
            description: Its name in AWS, at most 32 characters. It is given when it is made, and cannot be changed.
            type: str
          scheme:
            description: Whether it can be reached from outside. Not given, the controller makes an internal one.
            type: str
            choices: [internet-facing, internal]
          target_type:
            description: V(ip) sends to the pods, whose addresses the VPC must route. V(instance) sends to the NodePorts of the nodes.
            type: str
            choices: [ip, instance]
            default: ip
          subnets:
            description: The ids of its subnets, in two availability zones or more. None leaves it to the controller, which looks
              for tags.
            type: list
            elements: str
            default: []
          certificate_arns:
            description: The ARNs of its certificates. The first is the default one.
            type: list
            elements: str
            default: []
          ssl_policy:
            description: The policy of TLS versions and ciphers. Not given, it is C(ELBSecurityPolicy-TLS13-1-2-2021-06) where TLS
              ends.
            type: str
          attributes:
            description: Attributes of the load balancer, by their names in AWS.
            type: dict
            default: {}
          deletion_protection:
            description: Guard it against deletion. It is then not deleted unless the guard is taken off first.
            type: bool
          access_logs:
            description: Access logs in an S3 bucket, which must exist and let the load balancer write.
            type: dict
            suboptions:
              enabled:
                description: Whether it writes them. V(false) switches them off.
                type: bool
                default: true
              bucket:
                description: The bucket.
                type: str
              prefix:
                description: The prefix in the bucket.
                type: str
          tags:
            description: Its tags.
            type: dict
            default: {}
          ip_address_type:
            description: The type of its addresses.
            type: str
            choices: [ipv4, dualstack, dualstack-without-public-ipv4]
          security_groups:
            description: Security groups in place of the one that the controller makes. The controller still opens the way to the
              targets.
            type: list
            elements: str
            default: []
          health_check:
            description: How targets are probed. Not given, with target type V(ip) it is HTTP C(/healthz/ready) at port 15021, with
              V(instance) the controller's default, with proxy protocol TCP.
            type: dict
            suboptions:
              protocol:
                description: The protocol.
                type: str
                choices: [HTTP, HTTPS, TCP]
              port:
                description: The port. The name of a port of the Service is right for both target types; a number only for V(ip).
                type: str
              path:
                description: The path.
                type: str
              interval:
                description: Seconds between two probes.
                type: int
              timeout:
                description: Seconds until a probe has failed.
                type: int
              healthy_threshold:
                description: So many successes make a target healthy.
                type: int
              unhealthy_threshold:
                description: So many failures make it unhealthy.
                type: int
              success_codes:
                description: The HTTP codes of success.
                type: str
          deregistration_delay:
            description: How long a target that goes may finish its requests, in seconds.
            type: int
            default: 30
          target_group_attributes:
            description: Attributes of the target groups, by their names in AWS.
            type: dict
            default: {}
          annotations:
            description: Other annotations C(service.beta.kubernetes.io/aws-load-balancer-*). One that an option renders is an error.
            type: dict
            default: {}
          ssl_ports:
            description: The ports at which TLS ends, when there are certificates. Not given, it is 443.
            type: list
            elements: int
          cross_zone:
            description: Spread over the targets of all zones.
            type: bool
          eip_allocations:
            description: The ids of elastic IP addresses, one for each subnet.
            type: list
            elements: str
            default: []
          source_ranges:
            description: The ranges of addresses that may reach it. None means all.
            type: list
            elements: str
            default: []
          external_traffic_policy:
            description: V(Local) sends only to nodes with a pod, and keeps the client's address with target type V(instance).
            type: str
            choices: [Cluster, Local]
          preserve_client_ip:
            description: Whether targets see the client's address. Not given, AWS decides by target type and protocol.
            type: bool
          proxy_protocol:
            description: Tell the client's address by proxy protocol, to which the gateway is then set, too. Health checks are then
              by TCP, because the status port does not understand it.
            type: bool
            default: false
          expose_status_port:
            description: Leave port 15021 in the Service, which makes a listener of it. Pods are probed there without it.
            type: bool
            default: false
  albs:
    description: Application Load Balancers, each an Ingress in front of a gateway's Service.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the Ingress.
        type: str
        required: true
      namespace:
        description: Its namespace, which is that of the gateway.
        type: str
        required: true
      state:
        description: Whether it should be there.
        type: str
        choices: [present, absent]
        default: present
      gateway:
        description: The Gateway of class C(istio) behind it.
        type: str
      service:
        description: The Service behind it, where the gateway comes from a chart. It is called like the release.
        type: str
      service_port:
        description: The port of the Service. With V(443) the load balancer speaks HTTPS with it.
        type: int
        default: 80
      hosts:
        description: The hosts of its rules. None means one rule for every host.
        type: list
        elements: str
        default: []
      tls_hosts:
        description: Hosts for which the controller looks for certificates (C(spec.tls)).
        type: list
        elements: str
        default: []
      path:
        description: The path of its rules.
        type: str
        default: /
      labels:
        description: Labels of the Ingress.
        type: dict
        default: {}
      ingress_class:
        description: The class of the Ingress.
        type: str
        default: alb
      class_annotation:
        description: Name the class by the former annotation C(kubernetes.io/ingress.class), and not by the field.
        type: bool
        default: false
      load_balancer_name:
        description: Its name in AWS, at most 32 characters. It is given when it is made, and cannot be changed.
        type: str
      scheme:
        description: Whether it can be reached from outside. Not given, the controller makes an internal one.
        type: str
        choices: [internet-facing, internal]
      target_type:
        description: V(ip) sends to the pods, whose addresses the VPC must route. V(instance) sends to the NodePorts of the nodes.
        type: str
        choices: [ip, instance]
        default: ip
      subnets:
        description: The ids of its subnets, in two availability zones or more. None leaves it to the controller, which looks for
          tags.
        type: list
        elements: str
        default: []
      certificate_arns:
        description: The ARNs of its certificates. The first is the default one.
        type: list
        elements: str
        default: []
      ssl_policy:
        description: The policy of TLS versions and ciphers. Not given, it is C(ELBSecurityPolicy-TLS13-1-2-2021-06) where TLS ends.
        type: str
      attributes:
        description: Attributes of the load balancer, by their names in AWS.
        type: dict
        default: {}
      deletion_protection:
        description: Guard it against deletion. It is then not deleted unless the guard is taken off first.
        type: bool
      access_logs:
        description: Access logs in an S3 bucket, which must exist and let the load balancer write.
        type: dict
        suboptions:
          enabled:
            description: Whether it writes them. V(false) switches them off.
            type: bool
            default: true
          bucket:
            description: The bucket.
            type: str
          prefix:
            description: The prefix in the bucket.
            type: str
      tags:
        description: Its tags.
        type: dict
        default: {}
      ip_address_type:
        description: The type of its addresses.
        type: str
        choices: [ipv4, dualstack, dualstack-without-public-ipv4]
      security_groups:
        description: Security groups in place of the one that the controller makes. The controller still opens the way to the targets.
        type: list
        elements: str
        default: []
      health_check:
        description: How targets are probed. What is not given is HTTP C(/healthz/ready) at the port C(status-port).
        type: dict
        suboptions:
          protocol:
            description: The protocol.
            type: str
            choices: [HTTP, HTTPS, TCP]
          port:
            description: The port. The name of a port of the Service is right for both target types; a number only for V(ip).
            type: str
          path:
            description: The path.
            type: str
          interval:
            description: Seconds between two probes.
            type: int
          timeout:
            description: Seconds until a probe has failed.
            type: int
          healthy_threshold:
            description: So many successes make a target healthy.
            type: int
          unhealthy_threshold:
            description: So many failures make it unhealthy.
            type: int
          success_codes:
            description: The HTTP codes of success.
            type: str
      deregistration_delay:
        description: How long a target that goes may finish its requests, in seconds.
        type: int
        default: 30
      target_group_attributes:
        description: Attributes of the target groups, by their names in AWS.
        type: dict
        default: {}
      annotations:
        description: Other annotations C(alb.ingress.kubernetes.io/*). One that an option renders is an error.
        type: dict
        default: {}
      listen_ports:
        description: 'Its listeners, such as V({HTTPS: 443}). Not given, they are HTTP 80, and with certificates HTTPS 443, too.'
        type: list
        elements: dict
      ssl_redirect:
        description: The port of the HTTPS listener to which all HTTP is redirected.
        type: int
      certificate_discovery:
        description: Leave it to the controller to find certificates by host.
        type: bool
        default: false
      waf_acl_arn:
        description: The ARN of a regional WAFv2 web ACL. An empty string takes it off. Not given, it is taken off if an earlier run has attached
          it; what others have attached stays.
        type: str
      shield:
        description: Whether Shield Advanced protects it, which needs the account's subscription. V(false) takes it off. Not given, it is taken
          off if an earlier run has switched it on.
        type: bool
      idle_timeout:
        description: After so many idle seconds a connection is closed.
        type: int
      group_name:
        description: The group of Ingresses that share the load balancer.
        type: str
      group_order:
        description: The order of its rules in the group.
        type: int
      inbound_cidrs:
        description: The ranges of addresses that may reach it.
        type: list
        elements: str
        default: []
      actions:
        description: Actions by name, as of the annotation C(actions.*). Each gets a rule before the others, without which it would
          do nothing.
        type: dict
        default: {}
  routes:
    description: Routes behind the gateways.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      state:
        description: Whether it should be there.
        type: str
        choices: [present, absent]
        default: present
      kind:
        description: The kind of the route.
        type: str
        choices: [HTTPRoute, VirtualService]
        default: HTTPRoute
      gateway:
        description: The Gateway that it attaches to.
        type: str
      gateway_namespace:
        description: The namespace of the Gateway, when it is another one.
        type: str
      section_names:
        description: The listeners that it attaches to. None means all, or those of port 443 where port 80 only redirects.
        type: list
        elements: str
        default: []
      hosts:
        description: Its hosts.
        type: list
        elements: str
        default: []
      rules:
        description: Which path goes where.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The path.
            type: str
            default: /
          path_type:
            description: How the path is compared.
            type: str
            choices: [PathPrefix, Exact, RegularExpression]
            default: PathPrefix
          backends:
            description: Where it goes.
            type: list
            elements: dict
            default: []
            suboptions:
              service:
                description: The Service.
                type: str
                required: true
              port:
                description: Its port.
                type: int
                required: true
              namespace:
                description: Its namespace, when it is another one. An HTTPRoute then needs a ReferenceGrant.
                type: str
              weight:
                description: Its share.
                type: int
      labels:
        description: Its labels.
        type: dict
        default: {}
      spec:
        description: Fields of C(spec) that replace what is made of the other options.
        type: dict
        default: {}
  classic_gateways:
    description: Gateways of Istio's own kind, for users of VirtualServices. For new work, use O(gateways) and HTTPRoutes, and never
      both for one host.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      state:
        description: Whether it should be there.
        type: str
        choices: [present, absent]
        default: present
      labels:
        description: Its labels.
        type: dict
        default: {}
      release:
        description: The release of the chart gateway whose pods it is for. These have the label C(app) with its name.
        type: str
      selector:
        description: 'The labels of the gateway''s pods, such as V({app: istio-ingress}), where it should be other ones than those of
          O(classic_gateways[].release).'
        type: dict
        default: {}
      hosts:
        description: Its hosts. None means every host.
        type: list
        elements: str
        default: []
      port:
        description: Its port.
        type: int
        default: 80
      protocol:
        description: The protocol of the port.
        type: str
        choices: [HTTP, HTTPS, HTTP2, GRPC, TCP, TLS]
        default: HTTP
      tls:
        description: TLS of the port, as C(servers[].tls).
        type: dict
        default: {}
      servers:
        description: The servers in full, in place of those of the other options.
        type: list
        elements: dict
        default: []
  force_conflicts:
    description: Take over objects that somebody else has made, and fields that another field manager owns.
    type: bool
    default: false
  override_deletion_protection:
    description: Delete even load balancers with deletion protection. It is taken off first.
    type: bool
    default: false
  allow_unroutable_targets:
    description: Make pods targets although no network plug-in is known to give them addresses that the VPC routes.
    type: bool
    default: false
  allow_load_balancer_service:
    description: Let an ALB stand in front of a Service of type LoadBalancer, which has a load balancer of its own.
    type: bool
    default: false
  wait:
    description: Wait until all is as wished, load balancers have their addresses, and what should be absent is gone.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds.
      - It also bounds the wait for a load balancer to go before its gateway does, which takes place even without O(wait=true).
    type: int
    default: 600
  planned:
    description: What earlier tasks of the same check run would make. It is taken as being there, in check mode only.
    type: dict
    suboptions:
      namespaces:
        description: Names of namespaces.
        type: list
        elements: str
        default: []
      services:
        description: Services, each as C(namespace/name).
        type: list
        elements: str
        default: []
      controller:
        description: Whether the AWS Load Balancer Controller is taken as being there.
        type: bool
        default: false
seealso:
  - module: meshwright.ambient.load_balancer_check
  - module: meshwright.ambient.load_balancer_info
  - module: meshwright.ambient.ready
"""

EXAMPLES = r"""
- name: A gateway without a load balancer, and a route to an application
  meshwright.ambient.ingress:
    gateways:
      - name: shop
        namespace: shop
    routes:
      - name: shop
        namespace: shop
        gateway: shop
        rules:
          - path: /
            backends:
              - {service: frontend, port: 8080}
    wait: true

- name: An Application Load Balancer in front of a gateway that many namespaces share
  meshwright.ambient.ingress:
    gateways:
      - name: public
        namespace: istio-ingress
        load_balancer: alb
        allowed_routes:
          from: Selector
        route_namespaces: [shop]
    albs:
      - name: public
        namespace: istio-ingress
        gateway: public
        scheme: internet-facing
        hosts: ["*.example.com", example.com]
        certificate_arns: ["arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"]
        ssl_redirect: 443
        deletion_protection: true
        tags: {Team: shop, Stage: production}
    wait: true

- name: A Network Load Balancer at which TLS ends
  meshwright.ambient.ingress:
    gateways:
      - name: edge
        namespace: istio-ingress
        load_balancer: nlb
        hosts: ["*.example.com"]
        tls: load_balancer
        redirect_http: true
        nlb:
          scheme: internet-facing
          cross_zone: true
          certificate_arns: ["arn:aws:acm:eu-central-1:123456789012:certificate/5e5e4a3c-0b7a-4f0e-9d57-1d3f2c6b8a90"]
    wait: true

- name: Take a web ACL and the protection of Shield off
  meshwright.ambient.ingress:
    albs:
      - name: public
        namespace: istio-ingress
        gateway: public
        waf_acl_arn: ""
        shield: false

- name: Take all of it away, although it is guarded
  meshwright.ambient.ingress:
    gateways:
      - {name: public, namespace: istio-ingress, state: absent}
    albs:
      - {name: public, namespace: istio-ingress, state: absent}
    override_deletion_protection: true
    wait: true
"""

RETURN = r"""
objects:
  description: What was done about each object, in the order of the options; what belongs to an item follows it.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of the object. V(IstioGateway) is Istio's own Gateway.
      type: str
      sample: Ingress
    namespace:
      description: Its namespace.
      type: str
      sample: istio-ingress
    name:
      description: Its name.
      type: str
      sample: public
    action:
      description: What was done, or in check mode would be.
      type: str
      sample: created
    changed:
      description: Whether anything was done.
      type: bool
      sample: true
    manifest:
      description: The object as it is applied; empty for one that is absent.
      type: dict
      sample: {}
gateways:
  description: The gateways that should be there.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: public
    namespace:
      description: Its namespace.
      type: str
      sample: istio-ingress
    service:
      description: The name of its Service.
      type: str
      sample: public-istio
    deployment:
      description: The name of its Deployment.
      type: str
      sample: public-istio
    reference:
      description: How routes of other namespaces name it.
      type: str
      sample: istio-ingress/public
    service_type:
      description: The type of its Service, as it is.
      type: str
      sample: ClusterIP
    load_balancer:
      description:
        - What stands in front, or will once it is made. V(alb), V(nlb), V(none), or V(cloud) for the cloud's own, which in EKS is a Classic Load Balancer.
        - V(unknown) for a Service of type C(LoadBalancer) when it could not be seen whether the AWS Load Balancer Controller is asked about new ones.
      type: str
      sample: alb
    made_by:
      description: Who makes it, V(AWS Load Balancer Controller) or V(cloud controller); empty when nobody does, or it is not known.
      type: str
      sample: AWS Load Balancer Controller
    address:
      description: Its address; empty as long as it has none.
      type: str
      sample: public-istio.istio-ingress.svc.cluster.local
    pods:
      description: The names of its ready pods.
      type: list
      elements: str
      sample: [public-istio-6c9d5bb5c7-x5x7h]
albs:
  description: The Application Load Balancers that should be there, each with the hops from it to the pods.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the Ingress.
      type: str
      sample: public
    namespace:
      description: Its namespace.
      type: str
      sample: istio-ingress
    made_by:
      description: Who makes it.
      type: str
      sample: AWS Load Balancer Controller
    address:
      description: The load balancer's host name, for DNS; empty as long as it has none.
      type: str
      sample: public-1234567890.eu-central-1.elb.amazonaws.com
    target_type:
      description: What it sends to.
      type: str
      sample: instance
    node_port:
      description: The port of the nodes, with target type V(instance); otherwise V(0).
      type: int
      sample: 31380
    service:
      description: The Service.
      type: str
      sample: public-istio
    service_port:
      description: Its port.
      type: int
      sample: 80
    pods:
      description: The names of the gateway's ready pods.
      type: list
      elements: str
      sample: [public-istio-6c9d5bb5c7-x5x7h]
classic_gateways:
  description: Istio's own Gateways that should be there.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: gateway
    namespace:
      description: Its namespace.
      type: str
      sample: istio-system
    reference:
      description: How VirtualServices name it.
      type: str
      sample: istio-system/gateway
ready_targets:
  description: What is to be judged of it, as O(meshwright.ambient.ready#module:targets) takes it.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: Gateway, name: public, namespace: istio-ingress}
labelled:
  description: The namespaces that got labels, with these.
  returned: success
  type: dict
  sample:
    shop: {shared-gateway-access: "true"}
targets:
  description: With O(wait=true), the verdict on each of them, as RV(meshwright.ambient.ready#module:targets) describes it.
  returned: when O(wait=true)
  type: list
  elements: dict
"""

import time
import typing as t
from dataclasses import replace

from ..module_utils._diff import diff_of
from ..module_utils._errors import MeshError
from ..module_utils._ingress.alb import backend_service
from ..module_utils._ingress.apply import make_changes, plan_steps
from ..module_utils._ingress.compare import applied_at, told, told_of
from ..module_utils._ingress.gateway import overlays_of, service_annotations, service_name, service_type
from ..module_utils._ingress.makers import CONTROLLER, NOBODY, maker_of_service
from ..module_utils._ingress.options import OPTIONS as INGRESS_OPTIONS
from ..module_utils._ingress.plan import Surroundings, missing_labels, namespaces_to_make, plan_changes, refuse_changes
from ..module_utils._ingress.state import Reader
from ..module_utils._ingress.wishes import find_common_problems, parse_wishes, target_types
from ..module_utils._module import all_was_written, mesh_module, run
from ..module_utils._status.addresses import IngressExpectation, external_addresses
from ..module_utils._status.gateways import GatewayExpectation
from ..module_utils._status.load_balancers import ControllerExpectation
from ..module_utils._status.target import Target
from ..module_utils._wait.report import wait_and_report

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ..module_utils._ingress.plan import Change, Place
    from ..module_utils._ingress.wishes import Wish
    from ..module_utils._k8s.session import ApiSession
    from ..module_utils._mesh.labels import Object
    from ..module_utils._module import Result

OPTIONS = {
    **INGRESS_OPTIONS,
    "force_conflicts": {"type": "bool", "default": False},
    "override_deletion_protection": {"type": "bool", "default": False},
    "allow_unroutable_targets": {"type": "bool", "default": False},
    "allow_load_balancer_service": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 600},
    "progress": {"type": "path"},
    "planned": {
        "type": "dict",
        "options": {
            "namespaces": {"type": "list", "elements": "str", "default": []},
            "services": {"type": "list", "elements": "str", "default": []},
            "controller": {"type": "bool", "default": False},
        },
    },
}

# So long the load balancer controller has to say what it makes of a change. It says nothing of changes that do not concern it, and of a load balancer
# that AWS still provisions (pkg/deploy/elbv2/load_balancer_synthesizer.go, PostSynthesize).
SECONDS_TO_ANSWER = 5.0
# The kinds of which it can be said whether they are ready.
JUDGED = ("Gateway", "HTTPRoute", "Ingress")


def main() -> None:
    run(mesh_module(OPTIONS), declare_ingress)


def declare_ingress(module: AnsibleModule, session: ApiSession) -> Result:
    """Read once, decide, write once, wait on request."""
    params = module.params
    wishes = parse_wishes({group: params[group] for group in INGRESS_OPTIONS})
    for wish in wishes:
        for note in wish.notes:
            module.warn(f"{wish.title}: {note}")
    problems = [*(f"{wish.title}: {problem}" for wish in wishes for problem in wish.problems), *find_common_problems(wishes)]
    if problems:
        raise MeshError("\n".join([*problems, f"Nothing was changed on cluster {session.cluster}."]), refusals=problems)
    reader = Reader(session, wishes, module.warn)
    changes = plan_changes(wishes, reader.objects(required=not module.check_mode))
    around = describe_surroundings(module, reader, wishes)
    refusals = refuse_changes(changes, around)
    if refusals:
        raise MeshError("\n".join([*refusals, f"Nothing was changed on cluster {session.cluster}."]), refusals=refusals)
    new_namespaces = namespaces_to_make(wishes, around.namespaces)
    labels = missing_labels(wishes, around.namespaces)
    steps = plan_steps(changes, new_namespaces, labels, around.services, force=params["force_conflicts"])
    refused = session.refused(steps.all)
    if refused:
        raise MeshError("\n".join(refused))
    started = time.monotonic()
    known = reader.events() if params["wait"] and not module.check_mode and has_load_balancer(wishes) else {}
    written = {} if module.check_mode else make_changes(session, steps, params["wait_timeout"])
    result: Result = {
        "changed": bool(steps.all),
        "diff": [
            *(diff_of(f"Namespace {name}", {}, {"name": name}) for name in new_namespaces),
            *(diff_of(f"Namespace {name}", {}, {f"labels.{key}": value for key, value in missing.items()}) for name, missing in sorted(labels.items())),
            *(diff_of(_title(change), told_of(change.seen, change.wanted.manifest), told(change.wanted.manifest)) for change in changes if change.changed),
        ],
        "objects": [_object(change) for change in changes if change.changed or change.wanted.manifest],
        "labelled": labels,
        "ready_targets": [_ready_target(change) for change in changes if change.wanted.manifest and change.wanted.key[0] in JUDGED],
    }
    with all_was_written("All of it is written"):
        if params["wait"] and not module.check_mode:
            left = params["wait_timeout"] - (time.monotonic() - started)
            result.update(wait(session, changes, Heard(known, written), max(left, 0.0), params["progress"]))
        planned = bool(module.check_mode and (params["planned"] or {}).get("controller"))
        result.update(describe(Reader(session, wishes, module.warn), wishes, planned_controller=planned))
    return result


def describe_surroundings(module: AnsibleModule, reader: Reader, wishes: t.Sequence[Wish]) -> Surroundings:
    """What the refusals must know; each is asked for only where it matters."""
    params = module.params
    planned = params["planned"] if module.check_mode and params["planned"] else {}
    present = [wish for wish in wishes if wish.present]
    albs = [wish.item for wish in present if wish.group == "albs"]
    nlbs = [wish.item.get("nlb") or {"target_type": "ip"} for wish in present if wish.group == "gateways" and wish.item["load_balancer"] == "nlb"]
    by_address = any(item["target_type"] == "ip" for item in (*albs, *nlbs))
    planned_controller = bool(planned.get("controller"))
    return Surroundings(
        namespaces={**{name: {} for name in planned.get("namespaces") or ()}, **reader.namespaces()},
        services=reader.services(),
        planned_services=frozenset(_place(service) for service in planned.get("services") or ()),
        deployments=reader.strange_deployments(),
        ingress_classes=reader.ingress_classes() if albs and not planned_controller else None,
        controller=reader.controller() if nlbs and not planned_controller else None,
        routable=reader.routable() if by_address and not params["allow_unroutable_targets"] and not planned_controller else None,
        force_conflicts=params["force_conflicts"],
        override_deletion_protection=params["override_deletion_protection"],
        allow_unroutable_targets=params["allow_unroutable_targets"],
        allow_load_balancer_service=params["allow_load_balancer_service"],
    )


def has_load_balancer(wishes: t.Iterable[Wish]) -> bool:
    """Whether a load balancer of AWS is asked for."""
    return any(wish.present and (wish.group == "albs" or wish.item.get("load_balancer") == "nlb") for wish in wishes)


class Heard(t.NamedTuple):
    """What tells the controller's later words from its former ones.

    Attributes:
        known: the events that were there before the writes.
        written: the resource versions that Ingresses got by the writes.
    """

    known: t.Mapping[str, str]
    written: t.Mapping[Place, int]


def wait(session: ApiSession, changes: t.Sequence[Change], heard: Heard, timeout: float, progress: str | None) -> Result:
    """Wait for what should be there; what should not was waited for when it was deleted."""
    judged = [change for change in changes if change.wanted.manifest and change.wanted.key[0] in JUDGED]
    if not judged:
        return {"targets": []}
    answered: Result = {"elapsed": 0.0}
    if any(_changes_load_balancer(change, changes) for change in judged):
        # The address of a load balancer that is there proves nothing about a change of it, so its controller is heard first.
        patience = min(timeout, SECONDS_TO_ANSWER)
        targets = [_target(change, changes, heard, answered=True) for change in judged]
        answered = wait_and_report(session, targets, timeout=patience, progress=progress)
        if not answered.get("failed") or answered["elapsed"] < patience:
            return answered
    targets = [_target(change, changes, heard) for change in judged]
    result = wait_and_report(session, targets, timeout=max(timeout - answered["elapsed"], 0.0), progress=progress)
    return {**result, "elapsed": round(result["elapsed"] + answered["elapsed"], 3)}


def _of_load_balancer(change: Change, changes: t.Sequence[Change]) -> list[Change]:
    """What the controller is told of the load balancer of this object: a gateway's by its parameters, too."""
    return [other for other in changes if other.wish is change.wish and other.wanted.key[0] != "HTTPRoute"]


def _changes_load_balancer(change: Change, changes: t.Sequence[Change]) -> bool:
    """Whether a load balancer that is there is changed with this object."""
    if change.wanted is not change.wish.main or change.action == "created" or not has_load_balancer([change.wish]):
        return False
    return any(other.changed for other in _of_load_balancer(change, changes))


def _target(change: Change, changes: t.Sequence[Change], heard: Heard, *, answered: bool = False) -> Target:
    kind, namespace, name = change.wanted.key
    if kind == "HTTPRoute":
        return Target(kind, name, namespace)
    changed = any(other.changed for other in _of_load_balancer(change, changes))
    # Of what was not written, all that the controller has said since it is so is meant.
    controller = ControllerExpectation(heard.known if changed else {}, reconciled=answered and _changes_load_balancer(change, changes))
    if kind == "Ingress":
        since = applied_at(change.seen) if change.seen and not changed else ""
        return Target(kind, name, namespace, IngressExpectation(replace(controller, written=heard.written.get((namespace, name), 0), since=since)))
    item = change.wish.item
    albs = [other.wish.item for other in changes if other.wish.group == "albs"]
    overlays = overlays_of(item, target_types(item, albs))
    if item["load_balancer"] != "nlb":
        return Target(kind, name, namespace, GatewayExpectation(overlays=overlays))
    return Target(kind, name, namespace, GatewayExpectation(True, overlays, service_annotations(item), controller))


def _ready_target(change: Change) -> dict[str, t.Any]:
    kind, namespace, name = change.wanted.key
    target: dict[str, t.Any] = {"kind": kind, "name": name, "namespace": namespace}
    if kind == "Gateway" and change.wish.item["load_balancer"] == "nlb":
        target["load_balancer"] = True
    return target


def describe(reader: Reader, wishes: t.Sequence[Wish], *, planned_controller: bool = False) -> Result:
    """Where each entry is, who makes its load balancer, and the hops from it to the pods."""
    present = [wish for wish in wishes if wish.present]
    edges = [wish for wish in present if wish.group in ("gateways", "albs")]
    objects = reader.objects(required=False) if edges else {}
    services = reader.services() if edges else {}
    pods = reader.endpoints() if edges else {}
    albs = [wish.item for wish in present if wish.group == "albs"]
    kinds = {wish.main.key: service_type(wish.item, target_types(wish.item, albs)) for wish in present if wish.group == "gateways"}
    # Only of these it matters whether the controller is asked.
    open_ones = any(kinds.get(wish.main.key) == "LoadBalancer" and wish.item["load_balancer"] != "nlb" for wish in present)
    webhook = (planned_controller or reader.service_webhook()) if open_ones else None
    return {
        "gateways": [_gateway(wish, kinds[wish.main.key], webhook, objects, services, pods) for wish in present if wish.group == "gateways"],
        "albs": [_alb(wish, objects, services, pods) for wish in present if wish.group == "albs"],
        "classic_gateways": [
            {"name": wish.item["name"], "namespace": wish.item["namespace"], "reference": f"{wish.item['namespace']}/{wish.item['name']}"}
            for wish in present
            if wish.group == "classic_gateways"
        ],
    }


def _gateway(
    wish: Wish,
    kind: str,
    webhook: bool | None,
    objects: t.Mapping[t.Any, Object],
    services: t.Mapping[t.Any, Object],
    pods: t.Mapping[t.Any, list[str]],
) -> Result:
    name, namespace = wish.item["name"], wish.item["namespace"]
    place = (namespace, service_name(name))
    gateway, service = objects.get(wish.main.key) or {}, services.get(place) or {}
    addresses = (gateway.get("status") or {}).get("addresses") or ()
    maker = maker_of_service(kind, service_annotations(wish.item), services.get(place), webhook)
    if maker == NOBODY and wish.item["load_balancer"] == "alb":
        # An Ingress in front of it makes the load balancer.
        maker = maker._replace(load_balancer="alb", made_by=CONTROLLER)
    return {
        "name": name,
        "namespace": namespace,
        "service": service_name(name),
        "deployment": service_name(name),
        "reference": f"{namespace}/{name}",
        "service_type": (service.get("spec") or {}).get("type", ""),
        "load_balancer": maker.load_balancer,
        "made_by": maker.made_by,
        "address": ", ".join(str(address["value"]) for address in addresses),
        "pods": pods.get(place, []),
    }


def _alb(wish: Wish, objects: t.Mapping[t.Any, Object], services: t.Mapping[t.Any, Object], pods: t.Mapping[t.Any, list[str]]) -> Result:
    item = wish.item
    place = (item["namespace"], backend_service(item))
    ports = (services.get(place) or {}).get("spec", {}).get("ports") or ()
    node_port = next((port.get("nodePort", 0) for port in ports if port["port"] == item["service_port"]), 0)
    return {
        "name": item["name"],
        "namespace": item["namespace"],
        "made_by": CONTROLLER,
        "address": ", ".join(external_addresses(objects.get(wish.main.key) or {})),
        "target_type": item["target_type"],
        "node_port": node_port if item["target_type"] == "instance" else 0,
        "service": place[1],
        "service_port": item["service_port"],
        "pods": pods.get(place, []),
    }


def _object(change: Change) -> Result:
    kind, namespace, name = change.wanted.key
    return {
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "action": change.action,
        "changed": change.changed,
        "manifest": change.wanted.manifest,
    }


def _title(change: Change) -> str:
    kind, namespace, name = change.wanted.key
    return f"{kind} {namespace}/{name}"


def _place(service: str) -> tuple[str, str]:
    namespace, _slash, name = service.partition("/")
    return namespace, name


if __name__ == "__main__":
    main()
