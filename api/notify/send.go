package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/egress"
)

// sending bounds how many messages are sent at once.
const sending = 8

// deliver sends what is due.
func (e *Engine) deliver(ctx context.Context) (more bool, err error) {
	now := e.now()
	list, err := e.Store.Take(ctx, now, now.Add(2*e.cfg.Timeout+time.Minute), 4*sending)
	if err != nil {
		return false, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(sending)
	for i := range list {
		g.Go(func() error { return e.attempt(gctx, list[i]) })
	}
	return len(list) == 4*sending, g.Wait()
}

// attempt sends a message once, and keeps how that ended.
func (e *Engine) attempt(ctx context.Context, d pipeline.Delivery) error {
	n, err := e.Rules.Notification(ctx, d.NotificationID)
	if pipeline.CodeOf(err) == pipeline.CodeNotFound {
		return e.Store.ForgetNotification(ctx, d.NotificationID)
	}
	if err == nil {
		d.Status, err = e.post(ctx, &n, d.Body)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it is tried again when it is due
	}
	now, end := e.now(), endDelivered
	switch {
	case err == nil:
		d.State, d.DoneAt, d.Error = pipeline.DeliveryDelivered, now, ""
	case d.Attempts >= e.cfg.Attempts:
		d.State, d.DoneAt, d.Error, end = pipeline.DeliveryFailed, now, reason(err), endFailed
	default:
		d.DueAt, d.Error, end = now.Add(pause(d.Attempts)), reason(err), endRetried
	}
	e.metrics.attempts.WithLabelValues(end).Inc()
	return e.Store.Finish(ctx, d)
}

// reason is an error for the log of messages, without the address: it is a secret.
func reason(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return pipeline.Head(clean(err.Error()), 300)
}

// post sends a message to where a notification goes.
func (e *Engine) post(ctx context.Context, n *pipeline.Notification, body []byte) (status int, err error) {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return 0, fmt.Errorf("decoding the message: %w", err)
	}
	secret, err := e.Rules.ChannelSecret(ctx, n.ID)
	if err != nil {
		return 0, err
	}
	return e.send.send(ctx, n.Channel, secret, &m, body, e.now())
}

// Test sends a message that says only that it arrives, and returns what the receiver
// answered.
func (e *Engine) Test(ctx context.Context, n pipeline.Notification) (status int, err error) {
	m := Message{ID: pipeline.NewID(), Notification: ref{n.ID, n.Name}, Project: ref{ID: n.ProjectID}, Test: true, Events: []Event{}}
	body, err := json.Marshal(m)
	if err != nil {
		return 0, fmt.Errorf("encoding a message: %w", err)
	}
	if status, err = e.post(ctx, &n, body); err != nil {
		return status, pipeline.Errorf(pipeline.CodeConflict, "the test did not arrive: %s", reason(err))
	}
	return status, nil
}

// sender speaks to receivers.
type sender struct {
	http *http.Client
	mail mailer
}

func newSender(cfg Config, mail mailer) *sender {
	return &sender{http: egress.Client(cfg.AllowPrivate, cfg.Timeout), mail: mail}
}

func (s *sender) send(ctx context.Context, ch pipeline.Channel, secret pipeline.ChannelSecret, m *Message, body []byte, now time.Time) (int, error) {
	if ch.Type == pipeline.ChannelEmail {
		if s.mail == nil {
			return 0, errors.New("this server sends no e-mail: mail.host")
		}
		return 0, s.mail.Send(ctx, ch.To, m.title(), strings.Join(m.lines(), "\n"))
	}
	if ch.Type != pipeline.ChannelWebhook {
		var err error
		if body, err = json.Marshal(chat(ch, m)); err != nil {
			return 0, fmt.Errorf("encoding the message: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, secret.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Stalker")
	req.Header.Set("Idempotency-Key", m.ID)
	if ch.Type == pipeline.ChannelWebhook && secret.Secret != "" {
		at := strconv.FormatInt(now.Unix(), 10)
		req.Header.Set("Stalker-Timestamp", at)
		req.Header.Set("Stalker-Signature", "v1="+Sign(secret.Secret, at, body))
	}
	resp, err := s.http.Do(req)
	if said, is := egress.Refused(err, "notifications.allowPrivate"); is {
		return 0, said
	}
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	if resp.StatusCode/100 != 2 {
		if len(answer) == 0 { // many answer with the status alone
			return resp.StatusCode, fmt.Errorf("the receiver answered %s", resp.Status)
		}
		return resp.StatusCode, fmt.Errorf("the receiver answered %s: %s", resp.Status, answer)
	}
	return resp.StatusCode, nil
}

// Sign is the signature of a webhook: HMAC-SHA-256 of the time in Stalker-Timestamp,
// a dot and the body, in hexadecimal.
func Sign(secret, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(timestamp + "."))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// chat is a message in the form of a chat system, in which no text of whoever was
// scanned can mention anybody, link or hide anything.
func chat(ch pipeline.Channel, m *Message) any {
	switch ch.Type {
	case pipeline.ChannelSlack:
		text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(m.text())
		return map[string]any{"text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false}
	case pipeline.ChannelDiscord:
		text := strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "`", "\\`", "~", "\\~", "|", "\\|", "[", "\\[", "<", "\\<").Replace(m.text())
		return map[string]any{"content": pipeline.Clip(text, 1900), "flags": 4, "allowed_mentions": map[string]any{"parse": []string{}}} // 4 shows no preview of links
	case pipeline.ChannelTelegram:
		return map[string]any{"chat_id": ch.Chat, "text": pipeline.Clip(m.text(), 3900), "link_preview_options": map[string]any{"is_disabled": true}}
	default:
		return teams(m)
	}
}

// teams is an adaptive card of runs of text, in which nothing is markup.
func teams(m *Message) any {
	block := func(s string, bold bool) any {
		run := map[string]any{"type": "TextRun", "text": s}
		if bold {
			run["weight"] = "Bolder"
		}
		return map[string]any{"type": "RichTextBlock", "inlines": []any{run}}
	}
	body := []any{block(m.title(), true)}
	for _, l := range m.lines() {
		body = append(body, block(l, false))
	}
	return map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive",
		"content":     map[string]any{"type": "AdaptiveCard", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "version": "1.4", "body": body},
	}}}
}
