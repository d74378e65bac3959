package notify

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"

	"github.com/stalker-asm/stalker/pipeline"
)

// Event is one thing that is told: a change or a finding.
type Event struct {
	Change  *pipeline.Change        `json:"change,omitempty"`
	Finding *pipeline.StoredFinding `json:"finding,omitempty"`
}

// Message is what a webhook receives, and what texts are made of.
type Message struct {
	ID           string  `json:"id"`
	Notification ref     `json:"notification"`
	Project      ref     `json:"project"`
	Test         bool    `json:"test,omitempty"` // somebody tries whether it arrives
	Events       []Event `json:"events"`
}

type ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// perMessage is how many events a message has at most; larger bodies are refused by
// some receivers.
const perMessage = 100

// messages packs events of a project.
func (e *Engine) messages(n *pipeline.Notification, project, name string, events []Event) (out []pipeline.Delivery, err error) {
	now := e.now()
	for len(events) > 0 {
		m := Message{ID: pipeline.NewID(), Notification: ref{n.ID, n.Name}, Project: ref{project, name}, Events: events[:min(len(events), perMessage)]}
		events = events[len(m.Events):]
		d := pipeline.Delivery{ID: m.ID, NotificationID: n.ID, ProjectID: project, CreatedAt: now, DueAt: now, State: pipeline.DeliveryWaiting, Events: len(m.Events)}
		if d.Body, err = json.Marshal(m); err != nil {
			return nil, fmt.Errorf("encoding a message: %w", err)
		}
		out = append(out, d)
	}
	return out, nil
}

// Texts have bounds: a chat is no place to read hundreds of lines.
const (
	maxLines = 20
	maxLine  = 300
)

// title says what a message is about.
func (m *Message) title() string {
	if m.Test {
		return fmt.Sprintf("Stalker: %s is set up", clean(m.Notification.Name))
	}
	things := "changes"
	if len(m.Events) > 0 && m.Events[0].Finding != nil {
		things = "findings"
	}
	if len(m.Events) == 1 {
		things = strings.TrimSuffix(things, "s")
	}
	return fmt.Sprintf("%s: %d %s in %s", clean(m.Notification.Name), len(m.Events), things, clean(m.Project.Name))
}

// lines tell the first events, one each.
func (m *Message) lines() []string {
	if m.Test {
		return []string{"This is a test. What happens will look like it."}
	}
	var out []string
	for i := range m.Events {
		if i == maxLines {
			return append(out, fmt.Sprintf("… and %d more", len(m.Events)-maxLines))
		}
		out = append(out, pipeline.Clip(m.Events[i].text(), maxLine))
	}
	return out
}

func (m *Message) text() string { return m.title() + "\n" + strings.Join(m.lines(), "\n") }

func (e *Event) text() string {
	if e.Finding != nil {
		return finding(e.Finding)
	}
	c := e.Change
	what := strings.ReplaceAll(string(c.Kind), "_", " ") + " " + resource(c.CorrelationKey)
	switch {
	case c.Attribute == "":
		return what + " " + string(c.What)
	case c.Before == "":
		return what + ": " + clean(c.Attribute) + " is " + clean(c.After)
	default:
		return what + ": " + clean(c.Attribute) + " is " + clean(c.After) + ", was " + clean(c.Before)
	}
}

func finding(f *pipeline.StoredFinding) string {
	name := f.Name
	if name == "" {
		name = f.Key
	}
	out := []string{clean(name) + " of " + resource(f.CorrelationKey)}
	for i := range min(len(f.Fields), 5) {
		if v := f.Fields[i].Text(); v != "" {
			out = append(out, clean(f.Fields[i].Key)+": "+pipeline.Clip(clean(v), 80))
		}
	}
	return strings.Join(out, ", ")
}

// resource is a correlation key as people write the thing.
func resource(key string) string {
	r, err := pipeline.ParseKey(key)
	if err != nil {
		return clean(key)
	}
	at := net.JoinHostPort(r.IP, strconv.Itoa(r.Port))
	switch r.Kind {
	case pipeline.KindDomain:
		return clean(r.Domain)
	case pipeline.KindRange:
		return r.IP + "/" + strconv.Itoa(*r.Mask)
	case pipeline.KindPort:
		return at + "/" + string(r.Protocol)
	case pipeline.KindWebsite:
		if r.Domain != "" {
			return clean(r.Domain) + ":" + strconv.Itoa(r.Port) + clean(r.Path) + " at " + r.IP
		}
		return at + clean(r.Path)
	default:
		return r.IP
	}
}

// clean makes text of whoever was scanned harmless in a line: no controls, no signs
// that turn what follows around.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
