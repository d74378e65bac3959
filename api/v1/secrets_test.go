package v1

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

const hush = "hunter22 & co"

// secrets are what the control topic holds, by id; the value is opened.
func (w *world) opened(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	w.bus.mu.Lock()
	defer w.bus.mu.Unlock()
	for _, r := range w.bus.recs {
		if bytes.Contains(r.Value, []byte("hunter")) || bytes.Contains(r.Value, []byte(base64.StdEncoding.EncodeToString([]byte(hush)))) {
			t.Errorf("a record of %s has the value: %s", r.Topic, r.Value)
		}
		if r.Topic != bus.TopicControl || !strings.HasPrefix(string(r.Key), "secret/") {
			continue
		}
		c, err := record.Decode[record.Change](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if c.Secret == nil {
			delete(out, c.ID)
			continue
		}
		v, err := w.keys.Open(*c.Secret)
		if err != nil {
			t.Error(err)
		}
		out[c.ID] = v
	}
	return out
}

func TestASecretIsStoredAndNeverReadAgain(t *testing.T) {
	w, mine, other := two(t, &runs{})
	owner, viewer := w.member("o@example.com", mine.ID, auth.RoleOwner), w.member("v@example.com", mine.ID, auth.RoleViewer)
	create := map[string]any{"name": "api", "value": hush, "projectId": mine.ID, "summary": "for the probe"}
	viewer.refused(403, "manage:secrets:create", "POST", "/secrets", create)
	var s pipeline.Secret
	a := owner.must("POST", "/secrets", create, &s)
	if s.Name != "api" || s.Version != 1 || a.header.Get("Location") != "/api/v1/secrets/"+s.ID {
		t.Errorf("created %+v", s)
	}
	owner.refused(409, "exists already", "POST", "/secrets", create)
	owner.refused(404, "no project", "POST", "/secrets", map[string]any{"name": "api", "value": "x", "projectId": other.ID})
	owner.refused(403, "manage:secrets:create", "POST", "/secrets", map[string]any{"name": "api", "value": "for everybody"})
	owner.refused(400, "without spaces", "POST", "/secrets", map[string]any{"name": "my api", "value": "x", "projectId": mine.ID})
	var global, theirs pipeline.Secret
	w.operator().must("POST", "/secrets", map[string]any{"name": "api", "value": "everybody's"}, &global)
	w.operator().must("POST", "/secrets", map[string]any{"name": "api", "value": "the others'", "projectId": other.ID}, &theirs)
	var page pipeline.Page[pipeline.Secret]
	listed := viewer.must("GET", "/secrets", nil, &page)
	if page.Total != 2 || page.Items[0].Sealed != nil {
		t.Errorf("listed %+v", page.Items)
	}
	owner.refused(404, "nothing has this id", "GET", "/secrets/"+theirs.ID, nil)
	owner.refused(403, "manage:secrets:update", "PATCH", "/secrets/"+global.ID, map[string]any{"value": "x"})
	viewer.refused(403, "manage:secrets:update", "PATCH", "/secrets/"+s.ID, map[string]any{"value": "x"})
	owner.refused(412, "read it again", "PATCH", "/secrets/"+s.ID, map[string]any{"value": "x"}, "If-Match", `"7"`)
	owner.must("PATCH", "/secrets/"+s.ID, map[string]any{"summary": "other words"}, &s, "If-Match", `"1"`)
	if got := w.opened(t); got[s.ID] != hush || got[global.ID] != "everybody's" || s.Version != 2 {
		t.Errorf("on the control topic: %v", got)
	}
	one := owner.must("GET", "/secrets/"+s.ID, nil, nil)
	audit := w.operator().must("GET", "/audit", nil, nil)
	for _, b := range [][]byte{a.body, listed.body, one.body, audit.body} {
		if bytes.Contains(b, []byte("hunter")) || bytes.Contains(b, []byte("sealed")) {
			t.Errorf("the value is in %s", b)
		}
	}
	if !bytes.Contains(audit.body, []byte(`"createSecret"`)) || !bytes.Contains(audit.body, []byte(`"detail":"api"`)) {
		t.Errorf("audit log %s", audit.body)
	}
	owner.must("DELETE", "/secrets/"+s.ID, nil, nil)
	owner.refused(404, "", "GET", "/secrets/"+s.ID, nil)
	w.operator().must("DELETE", "/projects/"+other.ID, nil, nil)
	if got := w.opened(t); len(got) != 1 {
		t.Errorf("left: %v", got)
	}
}

func TestRotationClosesEverythingForANewKey(t *testing.T) {
	w, mine, _ := two(t, &runs{})
	op := w.operator()
	var s pipeline.Secret
	op.must("POST", "/secrets", map[string]any{"name": "a", "value": hush, "projectId": mine.ID}, &s)
	op.must("POST", "/secrets", map[string]any{"name": "b", "value": "other"}, nil)
	before := w.keys.Recipient()
	w.person("x@example.com", auth.ReadOnlyID).refused(403, "manage:secrets:rotate", "POST", "/secrets/rotate", nil)
	var out struct{ Secrets int }
	op.must("POST", "/secrets/rotate", nil, &out)
	if got := w.opened(t); out.Secrets != 2 || got[s.ID] != hush || w.keys.Recipient() == before {
		t.Errorf("rotated %d: %v", out.Secrets, got)
	}
}
