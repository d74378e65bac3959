package kube_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

// BenchmarkClusterRequestToJob measures from a request on the bus to the Job in the
// cluster: how many a second when many wait, and how long one takes when 50 a second
// come. No pod runs: there is no node. make bench runs it on the real control plane.
func BenchmarkClusterRequestToJob(b *testing.B) {
	const flood, paced, every = 1000, 500, 20 * time.Millisecond
	c := onCluster(b, tier(b, "A"))
	created := c.watchJobs()
	topics := bustest.New(b)
	stop := c.life(topics, c.asConfigured(), 50_000)
	defer stop()
	next := 0
	ask := func(n int) {
		recs := make([]bus.Record, n)
		for i := range recs {
			next++
			v, err := record.Encode(pipeline.JobRequest{ID: id(next), ProjectID: fmt.Sprintf("%024x", next%7), Job: "J", Priority: 3, At: time.Now()})
			if err != nil {
				b.Fatal(err)
			}
			recs[i] = bus.Record{Topic: bus.TopicJobs, Key: []byte(id(next)), Value: v}
		}
		bustest.Produce(b, topics, recs...)
	}
	ask(1)
	<-created // everything has started

	var rate float64
	before := c.spent()
	for b.Loop() {
		start := time.Now()
		ask(flood)
		for range flood {
			<-created
		}
		rate = max(rate, flood/time.Since(start).Seconds())
	}
	for name, spent := range c.spent() {
		b.ReportMetric((spent-before[name]).Seconds()*1000/float64(flood*b.N), name+"-cpu-ms/job")
	}
	asked, took := map[string]time.Time{}, []time.Duration(nil)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for len(took) < paced {
		select {
		case <-tick.C:
			if len(asked) < paced {
				asked["stalker-"+id(next+1)] = time.Now()
				ask(1)
			}
		case j := <-created:
			took = append(took, j.seen.Sub(asked[j.name]))
		}
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate, "jobs/s")
	b.ReportMetric(float64(took[paced/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[paced*99/100].Microseconds())/1000, "p99-ms")
}

// asConfigured is a runner with the default limits, a quota that has room, and the
// launcher's rights.
func (c *cluster) asConfigured() *kube.Runner {
	c.t.Helper()
	_, err := c.client.CoreV1().ResourceQuotas(c.ns).Create(c.t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "roomy"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/jobs.batch": resource.MustParse("1000000"), "limits.cpu": resource.MustParse("1000000")}},
	}, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	cfg := settings(c)
	cfg.Kubeconfig = kubeconfig(c.t, c.launcherRights())
	client, err := kube.Connect(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		c.t.Fatal(err)
	}
	return c.runnerWith(client, cfg)
}

// spent is the processor time each process of the control plane has used, and this
// one: what a Job costs does not depend on who else uses the machine.
func (c *cluster) spent() map[string]time.Duration {
	c.t.Helper()
	pids := map[string]string{"launcher": "self"}
	files, err := filepath.Glob(filepath.Join(c.dir, "pids", "*"))
	if err != nil || len(files) < 4 {
		c.t.Fatalf("the control plane's processes: %v, %v", files, err)
	}
	for _, f := range files {
		pid, err := os.ReadFile(f)
		if err != nil {
			c.t.Fatal(err)
		}
		pids[strings.TrimPrefix(filepath.Base(f), "kube-")] = strings.TrimSpace(string(pid))
	}
	used := map[string]time.Duration{}
	for name, pid := range pids {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			c.t.Fatal(err)
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third on, see proc(5)
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		used[name] = time.Duration(user+system) * time.Second / 100 // USER_HZ
	}
	return used
}

type createdJob struct {
	name string
	seen time.Time
}

// watchJobs says of every Job when somebody else sees it.
func (c *cluster) watchJobs() <-chan createdJob {
	c.t.Helper()
	rc := *c.rest
	rc.ContentType = runtime.ContentTypeProtobuf // as the launcher's: the API server encodes a change once for both
	jobs := kubernetes.NewForConfigOrDie(&rc).BatchV1().Jobs(c.ns)
	list, err := jobs.List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	w, err := watchtools.NewRetryWatcherWithContext(c.t.Context(), list.ResourceVersion, &cache.ListWatch{WatchFuncWithContext: jobs.Watch})
	if err != nil {
		c.t.Fatal(err)
	}
	seen := make(chan createdJob, 100_000)
	go func() {
		for e := range w.ResultChan() {
			if j, ok := e.Object.(*batchv1.Job); ok && e.Type == watch.Added {
				seen <- createdJob{j.Name, time.Now()}
			}
		}
	}()
	c.t.Cleanup(w.Stop)
	return seen
}
