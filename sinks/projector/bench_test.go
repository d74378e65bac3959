package projector

import (
	"fmt"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// mixed is a batch of decoded findings, six about each host.
func mixed(n int) (in input) {
	for i := range n / 6 {
		ip, name := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), fmt.Sprintf("h%d.example.com", i)
		port := pipeline.Locators{IP: ip, Port: 443, Protocol: pipeline.TCP}
		site := pipeline.Locators{IP: ip, Port: 443, Domain: name, Path: "/"}
		k := int64(6 * i)
		in.findings = append(
			in.findings,
			say(k, pipeline.HostnameIPFinding, "HostnameIpFinding", pipeline.Locators{IP: ip, Domain: name}),
			say(k+1, pipeline.PortFinding, "PortFinding", port, "protocol", "tcp"),
			say(k+2, pipeline.CustomFinding, "PortServiceFinding", port, "serviceName", "https", "serviceProduct", "nginx"),
			say(k+3, pipeline.WebsiteFinding, "WebsiteFinding", site),
			say(k+4, pipeline.CustomFinding, "WebsiteResponseFinding", site, "statusCode", "200", "title", "Hello"),
			say(k+5, pipeline.CustomFinding, "WebsiteTechnologyFinding", site, "technology", "PHP"),
		)
	}
	return in
}

func BenchmarkFold(b *testing.B) {
	in := mixed(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, dead := fold(in, newHistory(newMemory(), len(in.findings))); len(dead) > 0 {
			b.Fatal(dead)
		}
	}
	b.ReportMetric(float64(len(in.findings))*float64(b.N)/b.Elapsed().Seconds(), "findings/s")
}

func BenchmarkDecode(b *testing.B) {
	in := mixed(10_000)
	recs := make([]bus.Record, len(in.findings))
	for i := range in.findings {
		v, err := record.EncodeFinding(&in.findings[i].body)
		if err != nil {
			b.Fatal(err)
		}
		recs[i] = bus.Record{Topic: bus.TopicFindings, Value: v}
	}
	b.ReportAllocs()
	for b.Loop() {
		decode(recs)
	}
	b.ReportMetric(float64(len(recs))*float64(b.N)/b.Elapsed().Seconds(), "findings/s")
}
