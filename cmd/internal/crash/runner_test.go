package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// runner runs jobs as functions. They speak through the gateway like any other.
type runner struct{ gateway string }

func (*runner) Name() string { return "crash" }

func (r *runner) Run(ctx context.Context, s launcher.Spec, out func(pipeline.Stream, string)) launcher.Result {
	if s.Started != nil {
		s.Started(time.Now())
	}
	var ip, domain string
	var port int
	_ = json.Unmarshal(s.Arguments["targetIp"], &ip)
	_ = json.Unmarshal(s.Arguments["domainName"], &domain)
	_ = json.Unmarshal(s.Arguments["port"], &port)
	out(pipeline.StreamStdout, "looking at "+ip)
	var said []string
	switch s.Job.Name {
	case "Grab":
		said = []string{
			fmt.Sprintf(`{"type":"CustomFinding","key":"PortServiceFinding","ip":%q,"port":%d,"protocol":"tcp","seq":1,"fields":[{"key":"serviceName","data":"ftp"},{"key":"serviceProduct","data":"vsftpd"}]}`, ip, port),
			fmt.Sprintf(`{"type":"PortFinding","ip":%q,"port":8080,"protocol":"tcp","seq":2}`, ip),
			fmt.Sprintf(`{"type":"CustomFinding","key":"PortServiceFinding","ip":%q,"port":8080,"protocol":"tcp","seq":3,"fields":[{"key":"serviceName","data":"http"}]}`, ip),
		}
	case "Look":
		said = []string{
			fmt.Sprintf(`{"type":"CustomFinding","key":"WebsiteResponseFinding","domainName":%q,"ip":%q,"port":%d,"seq":1,"fields":[{"key":"title","data":"Hello"},{"key":"statusCode","data":200}]}`, domain, ip, port),
			fmt.Sprintf(`{"type":"CustomFinding","key":"WebsiteTechnologyFinding","domainName":%q,"ip":%q,"port":%d,"seq":2,"fields":[{"key":"technology","data":"PHP"}]}`, domain, ip, port),
		}
	}
	for _, f := range said { // one by one, so that a kill comes between two of them
		time.Sleep(rand.N(3 * time.Millisecond))
		if err := post(ctx, r.gateway, s.Token, []string{f}); err != nil {
			return launcher.Result{State: pipeline.StateStopped}
		}
	}
	return launcher.Result{State: pipeline.StateSucceeded}
}

// post gives findings to the gateway until it takes them, or ctx ends.
func post(ctx context.Context, gateway, token string, findings []string) error {
	body := make([]byte, 0, 256*len(findings))
	for _, f := range findings {
		body = append(append(body, f...), '\n')
	}
	for {
		err := postOnce(ctx, gateway, token, body, len(findings))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func postOnce(ctx context.Context, gateway, token string, body []byte, n int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, gateway+"/findings", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct{ Accepted int }
	if resp.StatusCode != http.StatusOK || json.Unmarshal(text, &answer) != nil || answer.Accepted != n {
		return fmt.Errorf("the gateway answers %d %.300s", resp.StatusCode, text)
	}
	return nil
}
