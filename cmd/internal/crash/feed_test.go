package crash

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stalker-asm/stalker/pipeline/jobtoken"
)

// perHost is how many findings the feed says of each host.
const perHost = 12

// hostFindings is what one host is like. One in ten has an FTP server, which starts
// a job; one in twenty has websites that start one. What starts a job is said twice:
// the second time is within the cooldown.
func hostFindings(i int) []string {
	ip, zone, service := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "plain", "smtp"
	if i%20 == 3 {
		zone = "look"
	}
	if i%10 == 7 {
		service = "ftp"
	}
	name := fmt.Sprintf("h%d.%s.test", i, zone)
	port := func(n int) string {
		return fmt.Sprintf(`{"type":"PortFinding","ip":%q,"port":%d,"protocol":"tcp"`, ip, n)
	}
	served := func(n int, service string) string {
		return fmt.Sprintf(`{"type":"CustomFinding","key":"PortServiceFinding","ip":%q,"port":%d,"protocol":"tcp","fields":[{"key":"serviceName","data":%q}]`, ip, n, service)
	}
	return []string{
		fmt.Sprintf(`{"type":"HostnameIpFinding","domainName":%q,"ip":%q`, name, ip),
		port(22), port(80), port(443), port(21),
		served(22, "ssh"), served(80, "http"), served(443, "https"), served(21, service),
		fmt.Sprintf(`{"type":"CustomFinding","key":"OperatingSystemFinding","ip":%q,"fields":[{"key":"os","data":"Linux"}]`, ip),
		served(21, service),
		fmt.Sprintf(`{"type":"HostnameFinding","domainName":"alias-%s"`, name),
	}
}

// feed says what hosts are like, through the gateway, as executions of its own. It
// goes no further than allowed.
type feed struct {
	url, project string
	urls         []string // of each lane, when there are several gateways
	minter       *jobtoken.Minter
	hosts        int
	atOnce       int          // hosts that go into one request
	allowed      atomic.Int64 // hosts it may have said
	done         atomic.Int64 // hosts it has said
}

// lanes is how many executions the feed says things with, at once. A host is in one
// of them: what is said of it is said in order.
const lanes = 2

// hostsAtOnce go into one request unless a test wants fewer: at most 1,000 findings
// are allowed.
const hostsAtOnce = 80

func (f *feed) run(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, lanes)
	for lane := range lanes {
		wg.Go(func() { errs[lane] = f.lane(ctx, lane) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *feed) lane(ctx context.Context, lane int) error {
	token, err := f.minter.Mint(jobtoken.Claims{
		ExecutionID: fmt.Sprintf("feed%d", lane), ProjectID: f.project, Job: "Feed", Attempt: 1, RootID: "feed", Depth: 0,
	}, time.Hour)
	if err != nil {
		return err
	}
	url := f.url
	if len(f.urls) > 0 {
		url = f.urls[lane%len(f.urls)]
	}
	seq := 0
	for from := lane * f.atOnce; from < f.hosts; from += lanes * f.atOnce {
		to := min(from+f.atOnce, f.hosts)
		for int64(to) > f.allowed.Load() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
		var batch []string
		for i := from; i < to; i++ {
			for _, text := range hostFindings(i) {
				seq++
				batch = append(batch, fmt.Sprintf(`%s,"seq":%d}`, text, seq))
			}
		}
		if err := post(ctx, url+"/gateway/v1", token, batch); err != nil {
			return err
		}
		f.done.Add(int64(to - from))
	}
	return nil
}
