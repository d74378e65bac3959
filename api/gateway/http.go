package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/trace"
	"github.com/stalker-asm/stalker/pipeline/veil"
)

// Kinds of requests.
const (
	kindFindings = "findings"
	kindLogs     = "logs"
)

// answer is what a job gets back for a request that was understood.
type answer struct {
	Accepted int         `json:"accepted"`
	Rejected []rejection `json:"rejected,omitempty"`
}

// rejection says why one item of a batch was not taken; the others were.
type rejection struct {
	Index  int           `json:"index"`
	Seq    uint64        `json:"seq,omitempty"`
	Code   pipeline.Code `json:"code"`
	Reason string        `json:"reason"`
}

type handler func(ctx context.Context, c jobtoken.Claims, items []json.RawMessage) (answer, error)

// serve does what both kinds share: who is it, is there room, what does it say.
func (g *Gateway) serve(kind string, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := g.now()
		a, err := g.handle(w, r, kind, h)
		g.metrics.request(kind, pipeline.CodeOf(err), g.now().Sub(start))
		if err != nil {
			g.fail(w, err)
			return
		}
		g.metrics.items(kind, a)
		reply(w, http.StatusOK, a)
	}
}

func (g *Gateway) handle(w http.ResponseWriter, r *http.Request, kind string, h handler) (answer, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return answer{}, pipeline.Errorf(pipeline.CodeUnauthorized, "an Authorization: Bearer header with the execution's token is needed")
	}
	claims, err := g.tokens.Verify(token)
	if err != nil {
		return answer{}, err
	}
	size := g.cfg.MaxBody
	if r.ContentLength >= 0 && r.Header.Get("Content-Encoding") == "" {
		size = min(r.ContentLength, g.cfg.MaxBody)
	}
	if !g.room.take(size) {
		return answer{}, pipeline.Errorf(pipeline.CodeBusy, "too many requests are in work, try again")
	}
	defer g.room.give(size)
	items, err := g.read(w, r, kind)
	if err != nil {
		return answer{}, err
	}
	if v := veil.New(claims.Secrets); v.Hides() {
		for i := range items {
			items[i] = v.JSON(items[i])
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.cfg.Timeout)
	defer cancel()
	ctx, span := g.tracer.Start(trace.Within(ctx, claims.Trace, r.Header.Get(trace.Header)), "take "+kind, g.now(),
		"execution", claims.ExecutionID, "job", claims.Job, "items", strconv.Itoa(len(items)))
	a, err := h(ctx, claims, items)
	span.End(err)
	return a, err
}

// room counts the bytes of bodies in work.
type room struct {
	mu   sync.Mutex
	free int64
}

func (r *room) take(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n > r.free {
		return false
	}
	r.free -= n
	return true
}

func (r *room) give(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += n
}

// retryAfter is what a job is told to wait when there is no room.
const retryAfter = time.Second

func (g *Gateway) fail(w http.ResponseWriter, err error) {
	code, text := pipeline.CodeOf(err), err.Error()
	switch code {
	case pipeline.CodeInternal:
		g.log.Error("request failed", "err", err)
		text = "something went wrong here"
	case pipeline.CodeUnavailable:
		g.log.Warn("bus does not answer", "err", err)
		text = "findings cannot be stored now, try again"
	default:
	}
	if code == pipeline.CodeBusy || code == pipeline.CodeUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	reply(w, status(code, err), map[string]string{"code": string(code), "message": text})
}

func status(code pipeline.Code, err error) int {
	switch code {
	case pipeline.CodeInvalid:
		return http.StatusBadRequest
	case pipeline.CodeUnauthorized:
		return http.StatusUnauthorized
	case pipeline.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case pipeline.CodeBusy:
		return http.StatusTooManyRequests
	case pipeline.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		if errors.Is(err, context.Canceled) {
			return 499 // the job went away; nobody reads this
		}
		return http.StatusInternalServerError
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the job went away; it will ask again
}
