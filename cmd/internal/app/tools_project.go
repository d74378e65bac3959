package app

import (
	"context"
	"errors"
	"strings"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/pipeline"
)

// Project returns the project with a name, and makes it when there is none. It opens
// the control plane for as long as that takes; what it made is on the control topic
// when it returns.
func (t *Tools) Project(ctx context.Context, name string) (p pipeline.Project, made bool, err error) {
	sql, err := sqlstore.New(ctx, t.cfg.Control, t.cfg.path("control.db"))
	if err != nil {
		return p, false, err
	}
	defer func() { err = errors.Join(err, sql.Close()) }()
	c := control.New(control.Deps{Store: sql, Producer: t.Producer, Log: t.log})
	all, err := c.Projects(ctx)
	if err != nil {
		return p, false, err
	}
	for _, p := range all {
		if strings.EqualFold(p.Name, name) || p.ID == name {
			return p, false, nil
		}
	}
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- c.Run(run) }()
	p, _, err = c.CreateProject(ctx, pipeline.Project{Name: name, Notes: "Made by stalker generate: nothing of it is real."})
	stop()
	return p, err == nil, errors.Join(err, <-done)
}
