package v1

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

type (
	callerKey    struct{}
	operationKey struct{}
)

// gate is in front of every route: it finds the operation in the API's document,
// lets only those through who may do what it names, and checks the input against
// it. A route the document does not describe is closed.
func (a *API) gate(routes chi.Routes) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			found := chi.NewRouteContext()
			pattern := routes.Find(found, r.Method, r.URL.Path)
			if pattern == "" {
				next.ServeHTTP(w, r)
				return
			}
			op := a.doc.Operation(r.Method, described(pattern))
			if op == nil {
				a.fail(w, pipeline.Errorf(pipeline.CodeInternal, "%s %s is not described in the API document", r.Method, pattern))
				return
			}
			params := map[string]string{}
			for i, k := range found.URLParams.Keys {
				params[k] = found.URLParams.Values[i]
			}
			r, err := a.enter(w, r, op, params)
			if err != nil {
				a.fail(w, err)
				return
			}
			ctx, span := a.Tracer.Start(trace.Below(r.Context(), r.Header.Get(trace.Header)), op.ID, a.now(), "user", user(r).ID)
			defer span.End(nil)
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// described is a route's pattern as the document writes it.
func described(pattern string) string {
	p := strings.TrimPrefix(pattern, Path)
	if len(p) > 1 {
		p = strings.TrimSuffix(p, "/")
	}
	return p
}

func (a *API) enter(w http.ResponseWriter, r *http.Request, op *openapi.Operation, params map[string]string) (*http.Request, error) {
	did(r, op, params)
	ctx := context.WithValue(r.Context(), operationKey{}, op)
	if !op.Public {
		c, err := a.caller(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return r, err
		}
		by(r, c)
		ctx = context.WithValue(ctx, callerKey{}, c)
	}
	r = r.WithContext(ctx)
	if err := a.admit(r, op, params); err != nil {
		return r, err
	}
	if err := op.CheckRequest(w, r, params); err != nil {
		return r, err
	}
	return withNewID(r, op)
}

// admit decides what can be decided before the handler. Where the project is known
// only to the handler it calls allow.
func (a *API) admit(r *http.Request, op *openapi.Operation, params map[string]string) error {
	switch {
	case op.Public || op.Scope == "self":
		return nil
	case op.Project == openapi.ProjectNone:
		if !caller(r).May(op.Scope, "") {
			return pipeline.Errorf(pipeline.CodeForbidden, "this takes the scope %s", op.Scope)
		}
		return nil
	case op.Project == openapi.ProjectPath:
		return allow(r, params["projectId"])
	case op.Project == openapi.ProjectQuery && r.URL.Query().Get("project") != "":
		return allow(r, r.URL.Query().Get("project"))
	default:
		if ids, all := caller(r).Projects(op.Scope); !all && len(ids) == 0 {
			return pipeline.Errorf(pipeline.CodeForbidden, "this takes the scope %s in a project", op.Scope)
		}
		return nil
	}
}

// caller returns who makes the request.
func caller(r *http.Request) *auth.Caller {
	if c, ok := r.Context().Value(callerKey{}).(*auth.Caller); ok {
		return c
	}
	return &auth.Caller{}
}

// user returns the person who makes the request.
func user(r *http.Request) auth.User { return caller(r).User }

// allow reports whether the caller may do in a project what the operation names. A
// project they may not see does not exist for them.
func allow(r *http.Request, projectID string) error {
	op, _ := r.Context().Value(operationKey{}).(*openapi.Operation)
	c := caller(r)
	switch {
	case op == nil || projectID != "" && !c.Sees(projectID):
		return pipeline.Errorf(pipeline.CodeNotFound, "no project has the id %s", projectID)
	case !c.May(op.Scope, projectID):
		return pipeline.Errorf(pipeline.CodeForbidden, "this takes the scope %s", op.Scope)
	default:
		return nil
	}
}

// visible returns the projects a list without ?project= is about; nil is every one.
func visible(r *http.Request) []string {
	op, _ := r.Context().Value(operationKey{}).(*openapi.Operation)
	if op == nil {
		return []string{}
	}
	ids, all := caller(r).Projects(op.Scope)
	switch {
	case all:
		return nil
	case ids == nil:
		return []string{}
	default:
		return ids
	}
}
