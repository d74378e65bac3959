package control

import (
	"context"
	"strings"

	"github.com/stalker-asm/stalker/api/control/gitsource"
	"github.com/stalker-asm/stalker/pipeline"
)

// prepare checks a source that a person changed, and closes its key. A nil key stays
// as it is.
func (s *Sources) prepare(src *pipeline.GitSource, key *string) error {
	if err := s.check(src); err != nil {
		return err
	}
	if err := gitsource.CheckKnownHosts(src.KnownHosts); err != nil {
		return err
	}
	if key != nil {
		src.Sealed, src.PublicKey = nil, ""
	}
	if key != nil && *key != "" {
		public, err := gitsource.PublicKey(*key)
		if err == nil {
			err = s.seal(src, *key)
		}
		if err != nil {
			return err
		}
		src.PublicKey = public
	}
	if over, _, _ := strings.Cut(src.URL, ":"); !strings.EqualFold(over, "ssh") && (src.Sealed != nil || src.KnownHosts != "") {
		return pipeline.Errorf(pipeline.CodeInvalid, "url: a deploy key and known hosts are for ssh, such as ssh://git@git.example.com/team/rules.git: take them away, or give such an address")
	}
	return nil
}

func (c *Control) seal(src *pipeline.GitSource, key string) (err error) {
	if c.sealer == nil {
		return pipeline.Errorf(pipeline.CodeUnavailable, "this server has no key for secrets: configure secrets.key, secrets.keyFile or secrets.recipient")
	}
	src.Sealed, err = c.sealer.Seal(sourceSecret(src), key)
	return err
}

// sourceSecret is what the key of a source is bound to when it is closed.
func sourceSecret(src *pipeline.GitSource) pipeline.Secret {
	return pipeline.Secret{Name: "source:" + src.ID, Sealed: src.Sealed}
}

// login opens who a source is read as.
func (c *Control) login(src *pipeline.GitSource) (l gitsource.Login, err error) {
	l.KnownHosts = src.KnownHosts
	if src.Sealed == nil {
		return l, nil
	}
	if c.sealer == nil || !c.sealer.Opens() {
		return l, pipeline.Errorf(pipeline.CodeUnavailable, "this server cannot open the deploy key: give it the keys, by secrets.key or secrets.keyFile")
	}
	if l.Key, err = c.sealer.Open(sourceSecret(src)); err != nil {
		return l, pipeline.Errorf(pipeline.CodeConflict, "the deploy key of %s does not open: %w: set it again", src.URL, err)
	}
	return l, nil
}

// openSources opens every deploy key there is.
func (c *Control) openSources(ctx context.Context) (with []pipeline.GitSource, logins []gitsource.Login, err error) {
	all, err := list[pipeline.GitSource](ctx, c.store, kindSource)
	for i := range all {
		if all[i].Sealed == nil {
			continue
		}
		l, err := c.login(&all[i])
		if err != nil {
			return nil, nil, err
		}
		with, logins = append(with, all[i]), append(logins, l)
	}
	return with, logins, err
}

// closeSource closes a deploy key for the newest key of ours, unless somebody set
// another one meanwhile. A source that is read at the same time saves first.
func (c *Control) closeSource(ctx context.Context, src pipeline.GitSource, key string) error {
	return again(func() error {
		now, err := c.stored(ctx, src.ID)
		switch {
		case pipeline.CodeOf(err) == pipeline.CodeNotFound || err == nil && now.PublicKey != src.PublicKey:
			return nil
		case err == nil:
			err = c.seal(&now, key)
		}
		if err != nil {
			return err
		}
		return (&Sources{Control: c}).update(ctx, &now)
	})
}
