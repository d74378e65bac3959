package normal_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

func TestAPersonsStatementIsTheSameWhenItsRequestComesAgain(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	id := func(said string, at time.Time) string {
		f, err := normal.Finding(json.RawMessage(`{"type":"HostnameFinding","domainName":"example.com"}`),
			normal.Origin{ProjectID: "p", Source: pipeline.SourceUser, UserID: "u", Said: said, At: at})
		if err != nil {
			t.Fatal(err)
		}
		return f.ID
	}
	if id("r", at) != id("r", at.Add(time.Hour)) {
		t.Error("the same request made two findings")
	}
	if id("r", at) == id("s", at) || id("", at) == id("", at.Add(time.Hour)) {
		t.Error("what was said again is not news")
	}
}
