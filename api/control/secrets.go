package control

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Secrets returns every secret, by name, without what it holds.
func (c *Control) Secrets(ctx context.Context) ([]pipeline.Secret, error) {
	list, err := list[pipeline.Secret](ctx, c.store, record.ChangeSecret)
	for i := range list {
		list[i].Sealed = nil
	}
	return list, err
}

// Secret returns one secret without what it holds, or CodeNotFound.
func (c *Control) Secret(ctx context.Context, id string) (pipeline.Secret, error) {
	s, err := get[pipeline.Secret](ctx, c.store, record.ChangeSecret, id)
	s.Sealed = nil
	return s, err
}

// CreateSecret stores a value under a name: of a project, or for every project that
// has none of that name.
func (c *Control) CreateSecret(ctx context.Context, s pipeline.Secret, value string) (pipeline.Secret, error) {
	s.Name = strings.TrimSpace(s.Name)
	s.ID, s.Version = pipeline.DeriveID("secret", s.ProjectID, s.Name), 1
	if s.ProjectID != "" {
		if _, err := c.Project(ctx, s.ProjectID); err != nil {
			return s, err
		}
	}
	switch _, err := c.Secret(ctx, s.ID); pipeline.CodeOf(err) {
	case "":
		return s, pipeline.Errorf(pipeline.CodeConflict, "a secret named %q exists already: change its value, or delete it", s.Name)
	case pipeline.CodeNotFound:
	default:
		return s, err
	}
	return c.saveSecret(ctx, s, &value)
}

// UpdateSecret changes the summary and, unless value is nil, what a secret holds.
// s.Version is the version the change is based on.
func (c *Control) UpdateSecret(ctx context.Context, s pipeline.Secret, value *string) (pipeline.Secret, error) {
	s.Version++
	return c.saveSecret(ctx, s, value)
}

func (c *Control) saveSecret(ctx context.Context, s pipeline.Secret, value *string) (pipeline.Secret, error) {
	if p := checkSecret(&s, value); len(p) > 0 {
		return s, p
	}
	if value != nil && c.sealer == nil {
		return s, pipeline.Errorf(pipeline.CodeUnavailable, "this server has no key for secrets: configure secrets.key, secrets.keyFile or secrets.recipient")
	}
	var err error
	if value != nil {
		s.Sealed, err = c.sealer.Seal(s, *value)
	} else {
		var was pipeline.Secret
		was, err = get[pipeline.Secret](ctx, c.store, record.ChangeSecret, s.ID)
		s.Sealed = was.Sealed
	}
	if err != nil {
		return s, err
	}
	s.UpdatedAt = c.now().UTC().Truncate(time.Millisecond)
	e := Entity{Kind: record.ChangeSecret, ID: s.ID, Name: s.Name, Version: s.Version}
	_, err = save(ctx, c, e, &s, record.Change{Kind: record.ChangeSecret, ID: s.ID, Secret: &s})
	s.Sealed = nil
	return s, err
}

func checkSecret(s *pipeline.Secret, value *string) Problems {
	var out Problems
	if s.Name == "" || len(s.Name) > maxName || strings.ContainsFunc(s.Name, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '{' || r == '}'
	}) {
		out = append(out, Problem{Path: "name", Message: fmt.Sprintf("must have 1 to %d bytes, without spaces and braces: jobs get it as ${secrets.NAME}", maxName)})
	}
	if len(s.Summary) > maxSummary {
		out = append(out, Problem{Path: "summary", Message: fmt.Sprintf("may have at most %d bytes", maxSummary)})
	}
	if value != nil && (*value == "" || len(*value) > pipeline.MaxSecret) {
		out = append(out, Problem{Path: "value", Message: fmt.Sprintf("must have 1 to %d bytes", pipeline.MaxSecret)})
	}
	return out
}

// DeleteSecret removes a secret.
func (c *Control) DeleteSecret(ctx context.Context, id string) error {
	return c.remove(ctx, record.ChangeSecret, id)
}

// RotateSecrets closes every secret again, for the newest key. Keys that are ours to
// keep get a new one first and lose the old ones afterwards; after a failure in
// between everything still opens, and it can be done again.
func (c *Control) RotateSecrets(ctx context.Context) (n int, err error) {
	if c.sealer == nil || !c.sealer.Opens() {
		return 0, pipeline.Errorf(pipeline.CodeUnavailable, "this server cannot open secrets: give it the keys, by secrets.key or secrets.keyFile, for as long as this takes")
	}
	all, err := list[pipeline.Secret](ctx, c.store, record.ChangeSecret)
	if err != nil {
		return 0, err
	}
	values := make([]string, len(all))
	for i, s := range all { // everything opens, or nothing changes
		if values[i], err = c.sealer.Open(s); err != nil {
			return 0, pipeline.Errorf(pipeline.CodeConflict, "the secret %q does not open: %w: set its value again, or delete it", s.Name, err)
		}
	}
	notifications, addresses, err := c.openChannels(ctx)
	if err != nil {
		return 0, err
	}
	sources, logins, err := c.openSources(ctx)
	if err != nil {
		return 0, err
	}
	if err := c.sealer.Renew(); err != nil {
		return 0, err
	}
	for i := range sources {
		if err := c.closeSource(ctx, sources[i], logins[i].Key); err != nil {
			return 0, fmt.Errorf("closing the deploy key of %s again: %w", sources[i].URL, err)
		}
	}
	for i := range notifications {
		if _, err := c.UpdateNotification(ctx, notifications[i], &addresses[i]); err != nil {
			return 0, fmt.Errorf("closing where the notification %q goes again: %w", notifications[i].Name, err)
		}
	}
	for i, s := range all {
		if _, err := c.UpdateSecret(ctx, s, &values[i]); err != nil {
			return i, fmt.Errorf("closing the secret %q again: %w", s.Name, err)
		}
	}
	return len(all), c.sealer.Retire()
}
