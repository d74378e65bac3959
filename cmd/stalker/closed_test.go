package main

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// A port that a scan looked for and did not find any more is closed: in its history,
// in the list, in its detail and for filters. A port that nobody looked for stays as
// it was.
func TestAPortThatIsNotFoundAgainIsClosed(t *testing.T) {
	whole(t)
	listen := func() (net.Listener, string) {
		ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.41.7:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ln.Close() })
		return ln, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	}
	stays, staysPort := listen()
	goes, goesPort := listen()
	aside, asidePort := listen()
	_ = stays
	data := t.TempDir()
	serving(t, data)
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	cn, err := (&where{data: data}).connect(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	var project pipeline.Project
	if err := cn.Do(ctx, http.MethodPost, "/projects", map[string]any{"name": "closing", "internal": []string{"127.0.0.0/8"}}, &project); err != nil {
		t.Fatal(err)
	}
	scan := func(job string, parameters ...string) {
		t.Helper()
		args := []string{"job", "run", job, "--project", "closing", "--data", data, "-p", "targetIp=127.0.41.7", "-p", "portMin=1", "-p", "portMax=1"}
		for _, p := range parameters {
			args = append(args, "-p", p)
		}
		if out, errs, code := call(t, program(ctx, t, args...)); code != 0 {
			t.Fatalf("%v: exit code %d\n%s\n%s", args, code, out, errs)
		}
	}
	closed := func() map[string]bool {
		t.Helper()
		var page pipeline.Page[pipeline.Port]
		if err := cn.Do(ctx, http.MethodGet, "/ports?project="+project.ID, nil, &page); err != nil {
			t.Fatal(err)
		}
		is := map[string]bool{}
		for _, p := range page.Items {
			is[strconv.Itoa(p.Port)] = p.Closed.Closed
		}
		return is
	}
	scan("TcpPortScanningJob", "ports="+staysPort+","+goesPort+","+asidePort)
	if is := closed(); len(is) != 3 || is[staysPort] || is[goesPort] || is[asidePort] {
		t.Fatalf("at first, closed: %v", is)
	}
	_, _ = goes.Close(), aside.Close()
	// what was seen within five seconds before a look began, as clocks may differ by
	// that, the look does not close: so look until then
	until := func(port string, job string, parameters ...string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); time.Now().Before(end) && !closed()[port]; {
			scan(job, parameters...)
		}
	}
	until(goesPort, "TcpPortScanningJob", "ports="+staysPort+","+goesPort)
	if is := closed(); len(is) != 3 || is[staysPort] || !is[goesPort] || is[asidePort] {
		t.Fatalf("after a look at two of them, closed: %v", is)
	}
	var found pipeline.Page[pipeline.Port]
	if err := cn.Do(ctx, http.MethodGet, "/ports?q=is:closed&project="+project.ID, nil, &found); err != nil || len(found.Items) != 1 {
		t.Fatalf("is:closed finds %+v, %v", found.Items, err)
	}
	var detail pipeline.Port
	if err := cn.Do(ctx, http.MethodGet, "/ports/"+found.Items[0].ID, nil, &detail); err != nil || !detail.Closed.Closed || detail.ClosedAt.Before(detail.FirstSeen) {
		t.Errorf("the port: %+v, %v", detail, err)
	}
	var changes pipeline.ChangePage
	if err := cn.Do(ctx, http.MethodGet, "/projects/"+project.ID+"/changes?resource="+detail.ID, nil, &changes); err != nil {
		t.Fatal(err)
	}
	if n := len(changes.Items); n == 0 || changes.Items[0].What != pipeline.Opened || changes.Items[n-1].What != pipeline.Gone {
		t.Errorf("its history: %+v", changes.Items)
	}
	// a scan of the whole range sees what the first one looked for
	until(asidePort, "TcpIpRangeScanningJob", "targetMask=30", "ports="+staysPort+","+asidePort)
	if is := closed(); is[staysPort] || !is[goesPort] || !is[asidePort] {
		t.Errorf("after a look at the range, closed: %v", is)
	}
	reopened, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.41.7:"+goesPort)
	if err != nil {
		t.Skip("somebody else has the port now")
	}
	defer reopened.Close()
	scan("TcpPortScanningJob", "ports="+goesPort)
	if is := closed(); is[goesPort] {
		t.Errorf("found again, it is still closed: %v", is)
	}
}
