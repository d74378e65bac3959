package doctor

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

// oldestKubernetes is the first release whose Jobs and pods say of their ends what
// the launcher reads.
var oldestKubernetes = []int{1, 28}

// kubernetes looks at the cluster that jobs run on, with the rights this process has.
func kubernetes(ctx context.Context, cfg app.Config) []Finding {
	h, err := kube.Inspect(ctx, cfg.Kubernetes)
	if h.Version == "" && err != nil {
		return []Finding{bad(Fail, "check kubernetes.kubeconfig, the network to the API server, and that this runs in the cluster if no file is named", "%v", err)}
	}
	list := []Finding{ok("Kubernetes %s, namespace %s", h.Version, cfg.Kubernetes.Namespace)}
	if slices.Compare(numbers(strings.TrimPrefix(h.Version, "v")), oldestKubernetes) < 0 {
		list[0] = bad(Warn, "upgrade it", "Kubernetes %s is older than %d.%d, the oldest that is supported", h.Version, oldestKubernetes[0], oldestKubernetes[1])
	}
	if err != nil {
		list = append(list, bad(Warn, "", "it could not be looked at to the end: %v", err))
	}
	list = append(list, refusals(h, cfg.Kubernetes)...)
	for _, q := range h.Quotas {
		list = append(list, ok("quota %s", q))
	}
	return append(list, podsReach(cfg.GatewayURL)...)
}

// refusals are what would keep pods from running.
func refusals(h kube.Health, cfg kube.Config) []Finding {
	if !h.Namespace {
		return []Finding{bad(Fail, "kubectl create namespace "+cfg.Namespace+", or set kubernetes.namespace", "there is no namespace %s", cfg.Namespace)}
	}
	var list []Finding
	if len(h.Denied) > 0 {
		list = append(list, bad(Fail, "bind the Role of charts/stalker/templates/rbac.yaml in that namespace to whom this process is", "not allowed in %s: %s", cfg.Namespace, strings.Join(h.Denied, ", ")))
	} else if h.Refused != "" {
		list = append(list, bad(Fail, "mend what it says", "a Job would be refused: %s", h.Refused))
	}
	if len(h.Missing) > 0 {
		list = append(list, bad(Fail, "create them, or change the section kubernetes of the configuration", "missing in the cluster: %s", strings.Join(h.Missing, ", ")))
	}
	return append(list, podSecurity(h.PodSecurity, cfg)...)
}

func podSecurity(level string, cfg kube.Config) []Finding {
	const label = " pod-security.kubernetes.io/enforce="
	switch {
	case level == "":
		return nil // this process may not look
	case cfg.RawSockets && level != "privileged":
		return []Finding{bad(Fail, "kubectl label --overwrite namespace "+cfg.Namespace+label+"privileged, or set kubernetes.rawSockets to false",
			"Pod Security %s refuses the pods of jobs that ask for raw sockets", level)}
	case !cfg.RawSockets && level != "restricted":
		return []Finding{bad(Warn, "kubectl label --overwrite namespace "+cfg.Namespace+label+"restricted", "the namespace enforces Pod Security %s; jobs need no more than restricted", level)}
	}
	return []Finding{ok("Pod Security %s", level)}
}

// podsReach says of an address that no pod can reach it.
func podsReach(gateway string) []Finding {
	u, err := url.Parse(gateway)
	if err != nil {
		return nil // the configuration was checked
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return []Finding{bad(Fail, "set gatewayUrl to the address of the gateway's Service", "pods cannot reach the gateway at %s: that is the pod itself", gateway)}
	}
	return nil
}
