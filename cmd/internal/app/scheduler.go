package app

import (
	"context"
	"net/netip"
	"time"

	"github.com/stalker-asm/stalker/matchers/schedule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
)

func (a *App) addScheduler() error {
	s, err := schedule.New(a.cfg.Scheduler, schedule.Deps{
		Catalog: a.catalog, Inventory: inventory{a.store}, Producer: a.produce, Log: a.log, Metrics: a.reg, Tracer: a.tracer,
	})
	if err != nil {
		return err
	}
	a.group.Add("scheduler", stopWithin, a.known(s.Transactor(a.bus).Run))
	a.group.Add("clock", 10*time.Second, a.known(s.Run))
	return nil
}

// inventory lets the scheduler walk through the store's lists.
type inventory struct{ store *clickhouse.Store }

var _ schedule.Inventory = inventory{}

// Resources returns one page of an input.
func (i inventory) Resources(ctx context.Context, q schedule.Query) (schedule.Page, error) {
	p := pipeline.Query{ProjectID: q.ProjectID, Text: q.Filter, Limit: q.Limit, Cursor: q.Cursor}
	switch q.Input {
	case "ALL_DOMAINS":
		return pageOf(ctx, p, i.store.Domains, func(d *pipeline.Domain) schedule.Resource {
			return resource(&d.Seen, pipeline.Locators{Domain: d.Name})
		})
	case "ALL_HOSTS":
		return pageOf(ctx, p, i.store.Hosts, func(h *pipeline.Host) schedule.Resource {
			r := resource(&h.Seen, pipeline.Locators{IP: h.IP})
			r.Names = h.Domains
			return r
		})
	case "ALL_TCP_PORTS", "ALL_UDP_PORTS":
		protocol := map[string]pipeline.Protocol{"ALL_TCP_PORTS": pipeline.TCP, "ALL_UDP_PORTS": pipeline.UDP}[q.Input]
		p.Text = "protocol:" + string(protocol)
		if q.Filter != "" {
			p.Text += " (" + q.Filter + ")"
		}
		out, err := pageOf(ctx, p, i.store.Ports, func(x *pipeline.Port) schedule.Resource {
			return resource(&x.Seen, pipeline.Locators{IP: x.IP, Port: x.Port, Protocol: x.Protocol})
		})
		if err == nil {
			err = i.named(ctx, q.ProjectID, out.Resources)
		}
		return out, err
	case "ALL_IP_RANGES":
		return pageOf(ctx, p, i.store.Ranges, func(x *pipeline.IPRange) schedule.Resource {
			n, _ := netip.ParsePrefix(x.CIDR) // the store writes only such
			bits := n.Bits()
			return resource(&x.Seen, pipeline.Locators{IP: n.Addr().String(), Mask: &bits})
		})
	case "ALL_WEBSITES":
		out, err := pageOf(ctx, p, i.store.Websites, func(x *pipeline.Website) schedule.Resource {
			r := resource(&x.Seen, pipeline.Locators{Domain: x.Domain, IP: x.IP, Port: x.Port, Protocol: pipeline.TCP, Path: x.Path})
			r.SSL, r.Merged = x.SSL, x.MergedInto != ""
			return r
		})
		if err == nil {
			err = i.named(ctx, q.ProjectID, out.Resources)
		}
		return out, err
	default:
		return schedule.Page{}, pipeline.Errorf(pipeline.CodeInvalid, "no input is named %s", q.Input)
	}
}

// named fills in which domains resolve to the addresses of resources.
func (i inventory) named(ctx context.Context, projectID string, list []schedule.Resource) error {
	var ips []string
	for k := range list {
		if len(ips) == 0 || ips[len(ips)-1] != list[k].IP {
			ips = append(ips, list[k].IP)
		}
	}
	names, err := i.store.NamesOf(ctx, projectID, ips)
	for k := range list {
		list[k].Names = names[list[k].IP]
	}
	return err
}

// Fresh returns which of the resources have a finding with the key since a time.
func (i inventory) Fresh(ctx context.Context, projectID, finding string, since time.Time, targets []string) (map[string]bool, error) {
	return i.store.Fresh(ctx, projectID, finding, since, targets)
}

// Open returns how many executions a subscription started that have not ended.
func (i inventory) Open(ctx context.Context, subscriptionID string) (uint64, error) {
	return i.store.OpenOf(ctx, subscriptionID)
}

func pageOf[T any](ctx context.Context, q pipeline.Query, list func(context.Context, pipeline.Query) (pipeline.Page[T], error), of func(*T) schedule.Resource) (schedule.Page, error) {
	p, err := list(ctx, q)
	if err != nil {
		return schedule.Page{}, err
	}
	out := schedule.Page{Next: p.Next, Resources: make([]schedule.Resource, len(p.Items))}
	for i := range p.Items {
		out.Resources[i] = of(&p.Items[i])
	}
	return out, nil
}

func resource(s *pipeline.Seen, l pipeline.Locators) schedule.Resource {
	return schedule.Resource{Key: s.CorrelationKey, FirstSeen: s.FirstSeen, Blocked: s.Blocked, Locators: l}
}
