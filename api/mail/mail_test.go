package mail_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/api/mail"
	"github.com/stalker-asm/stalker/api/mail/mailtest"
	"github.com/stalker-asm/stalker/pipeline"
)

func TestSend(t *testing.T) {
	s := mailtest.New(t)
	m := mail.New(s.Config)
	to := []string{"ana@example.com", "ben@example.com"}
	if err := m.Send(t.Context(), to, "Two\r\nBcc: eve@example.com", "first\n.\nsecond é"); err != nil {
		t.Fatal(err)
	}
	got := s.Letters()
	if len(got) != 1 {
		t.Fatalf("letters %+v", got)
	}
	if !cmp.Equal(got[0].To, to) || !strings.Contains(got[0].From, "stalker@example.com") || strings.ReplaceAll(strings.TrimSpace(got[0].Text), "\r\n", "\n") != "first\n.\nsecond é" {
		t.Errorf("letter %+v", got[0])
	}
	if err := m.Send(t.Context(), []string{"no address"}, "s", "t"); pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Errorf("a recipient that is none: %v", err)
	}
	if mail.New(mail.DefaultConfig()) != nil {
		t.Error("a mailer without a server")
	}
}

func TestASafeConnectionIsRequired(t *testing.T) {
	s := mailtest.New(t)
	s.Config.Security = mail.SecurityStartTLS // which the server does not know
	if err := mail.New(s.Config).Send(t.Context(), []string{"a@example.com"}, "s", "t"); pipeline.CodeOf(err) != pipeline.CodeUnavailable {
		t.Errorf("Send() = %v", err)
	}
	if n := len(s.Letters()); n > 0 {
		t.Errorf("%d letters were sent unencrypted", n)
	}
}

func TestConfig(t *testing.T) {
	good := mail.DefaultConfig()
	good.Host, good.From = "mail.example.com", "a@example.com"
	for name, tc := range map[string]struct {
		change func(*mail.Config)
		want   string
	}{
		"good":     {func(*mail.Config) {}, ""},
		"from":     {func(c *mail.Config) { c.From = "me" }, "from is"},
		"port":     {func(c *mail.Config) { c.Port = 0 }, "port is 0"},
		"security": {func(c *mail.Config) { c.Security = "ssl" }, "starttls, tls or none"},
		"password": {func(c *mail.Config) { c.Security, c.Username = mail.SecurityNone, "u" }, "not sent unencrypted"},
		"off":      {func(c *mail.Config) { c.Host, c.From = "", "" }, ""},
	} {
		c := good
		tc.change(&c)
		err := c.Validate()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
